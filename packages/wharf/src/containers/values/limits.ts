import { parseBytes } from '@wharf/kit/bytes';
import { parseGoInteger } from '@wharf/kit/go-numbers';
import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

export interface Ulimit {
  readonly Name: string;
  readonly Hard: number;
  readonly Soft: number;
}

const ULIMITS = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** Reads `name=soft[:hard]`; -1 is no limit. */
export function parseUlimit(text: string): Ulimit {
  const { before: name, after: values, found } = cut(text, '=');
  if (!found) throw refuse(`invalid ulimit argument: ${text}`);
  if (!ULIMITS.has(name)) throw refuse(`invalid ulimit type: ${name}`);
  const [first = '', second, ...more] = values.split(':');
  if (more.length > 0) {
    throw refuse(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``);
  }
  const given = second === undefined ? undefined : parseGoInteger(second);
  const soft = parseGoInteger(first);
  const hard = given ?? soft;
  const order = 'ulimit soft limit must be less than or equal to hard limit';
  if (hard !== -1n && soft === -1n) throw refuse(`${order}: soft: -1 (unlimited), hard: ${hard}`);
  if (hard !== -1n && soft > hard) throw refuse(`${order}: ${soft} > ${hard}`);
  return { Name: name, Hard: Number(hard), Soft: Number(soft) };
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

/** Reads `/dev/sda:100`. */
export function parseWeightDevice(text: string): WeightDevice {
  const { path, value } = devicePair(text);
  let weight: number;
  try {
    weight = Number(parseGoInteger(value, { as: 'ParseUint', bits: 16 }));
  } catch {
    throw refuse(`invalid weight for device: ${text}`);
  }
  if (weight > 0 && (weight < 10 || weight > 1000)) throw refuse(`invalid weight for device: ${text}`);
  return { Path: path, Weight: weight };
}

export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

/** Reads `/dev/sda:10mb`, bytes per second. */
export function parseBytesRate(text: string): ThrottleDevice {
  const { path, value } = devicePair(text);
  try {
    return { Path: path, Rate: parseBytes(value) };
  } catch {
    const form = 'The correct format is <device-path>:<number>[<unit>]';
    const units = 'Number must be a positive integer. Unit is optional and can be kb, mb, or gb';
    throw refuse(`invalid rate for device: ${text}. ${form}. ${units}`);
  }
}

/** Reads `/dev/sda:1000`, operations per second. */
export function parseOperationsRate(text: string): ThrottleDevice {
  const { path, value } = devicePair(text);
  try {
    return { Path: path, Rate: Number(parseGoInteger(value, { as: 'ParseUint' })) };
  } catch {
    const form = 'The correct format is <device-path>:<number>. Number must be a positive integer';
    throw refuse(`invalid rate for device: ${text}. ${form}`);
  }
}

function devicePair(text: string): { readonly path: string; readonly value: string } {
  const { before: path, after: value, found } = cut(text, ':');
  if (!found || path === '') throw refuse(`bad format: ${text}`);
  if (!path.startsWith('/dev/')) throw refuse(`bad format for device path: ${text}`);
  return { path, value };
}

/** Memory and swap together: a size, or -1 for no limit. */
export function parseSwap(text: string): number {
  return text === '-1' ? -1 : parseBytes(text);
}

/** Reads `1.5`, `3/2` or `15e-1` processors as billionths of one, exactly. */
export function parseCpus(text: string): number {
  const match = /^([+-]?)(?:(\d+)\/(\d+)|(\d*)\.?(\d*)(?:e([+-]?\d{1,3}))?)$/i.exec(text);
  const [, sign, above, below, whole = '', fraction = '', exponent = '0'] = match ?? [];
  const isNumber =
    match !== null && (above !== undefined || `${whole}${fraction}` !== '') && !/^0+$/.test(below ?? '1');
  if (!isNumber) throw refuse(`failed to parse ${text} as a rational number`);
  let [numerator, denominator] = [BigInt(above ?? `${whole}${fraction}`) * 1_000_000_000n, BigInt(below ?? 1)];
  const shift = below === undefined ? Number(exponent) - fraction.length : 0;
  if (shift < 0) denominator *= 10n ** BigInt(-shift);
  else numerator *= 10n ** BigInt(shift);
  if (numerator % denominator !== 0n) throw refuse('value is too precise');
  return Number(numerator / denominator) * (sign === '-' ? -1 : 1);
}

export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount: number;
}

/** Reads `no`, `always`, `unless-stopped`, `on-failure[:count]`; whether the policy is one is the daemon's to say. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const { before, after, found } = cut(text, ':');
  if (found && before === '') throw refuse('invalid restart policy format: no policy provided before colon');
  if (after === '') return { Name: before, MaximumRetryCount: 0 };
  try {
    return { Name: before, MaximumRetryCount: Number(parseGoInteger(after, { as: 'Atoi' })) };
  } catch {
    throw refuse('invalid restart policy format: maximum retry count must be an integer');
  }
}
