/** A message of `GET /events`. */
export interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  readonly time?: number;
  /** Beyond 2^53, so it comes as a bigint. */
  readonly timeNano?: number | bigint;
}

const NANOSECONDS = 1_000_000_000n;

/** An event as docker prints it: time, what happened to whom, and what is known of it. */
export function eventLine({ Type, Action, Actor, time = 0, timeNano = 0 }: EventMessage): string {
  const nanoseconds = BigInt(timeNano) === 0n ? BigInt(time) * NANOSECONDS : BigInt(timeNano);
  const moment = nanoseconds === 0n ? '' : `${localTime(nanoseconds)} `;
  const known = Object.entries(Actor.Attributes ?? {})
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  const attributes = known.length === 0 ? '' : ` (${known.join(', ')})`;
  return `${moment}${Type} ${Action} ${Actor.ID}${attributes}`;
}

/** RFC 3339 in local time with all nine digits. */
function localTime(nanoseconds: bigint): string {
  const ms = Number(nanoseconds / 1_000_000n);
  const offset = -new Date(ms).getTimezoneOffset();
  const clock = new Date(ms + offset * 60_000).toISOString().slice(0, 19);
  const fraction = String(nanoseconds % NANOSECONDS).padStart(9, '0');
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  const absolute = Math.abs(offset);
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(absolute / 60)}:${two(absolute % 60)}`;
  return `${clock}.${fraction}${zone}`;
}
