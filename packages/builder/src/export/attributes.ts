import { WharfError } from '@wharf/kit';

export type Attributes = Readonly<Record<string, string>>;

/** A switch among an exporter's attributes, as Go reads one; named without a value it is on. Throws `invalid-argument`. */
export function flag(attributes: Attributes, name: string, absent: boolean): boolean {
  const value = attributes[name];
  if (value === undefined) return absent;
  if (/^(1|t|T|TRUE|true|True|)$/.test(value)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new WharfError('invalid-argument', `non-bool value specified for ${name}: ${JSON.stringify(value)}`);
}

/** SOURCE_DATE_EPOCH as whole seconds since 1970; `undefined` for nothing. Throws `invalid-argument`. */
export function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  // The latest time that JavaScript can write down.
  const seconds = /^\d{1,13}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= 8.64e12) return seconds;
  throw new WharfError('invalid-argument', `invalid SOURCE_DATE_EPOCH: ${text}: it is to be seconds since 1970`);
}
