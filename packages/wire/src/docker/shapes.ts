import { WharfError } from '@wharf/kit';

/**
 * Decoders that read JSON as Go's `encoding/json` reads it into a struct: keys match in any case, unknown keys are
 * ignored, `null` leaves the zero value (here: the field is absent), and a wrong type is refused with Go's sentence.
 *
 * `undefined` is "nothing there". `at` is where in the document we are, for the sentence.
 */
export type Decoder<T> = (value: unknown, at: string) => T | undefined;

/** The fields of a struct, by Docker's spelling. */
export type Fields<T> = { readonly [K in keyof Required<T>]: Decoder<NonNullable<T[K]>> };

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'number';
  return typeof value;
}

/** Go's `UnmarshalTypeError`, with the prefix dockerd puts before it. */
export function mismatch(value: unknown, at: string, goType: string): WharfError {
  const shown = typeof value === 'number' || typeof value === 'bigint' ? `number ${value}` : kindOf(value);
  const where = at.includes('.') ? `Go struct field ${at}` : 'Go value';
  return new WharfError(
    'invalid-argument',
    `invalid JSON: json: cannot unmarshal ${shown} into ${where} of type ${goType}`,
  );
}

export const string: Decoder<string> = (value, at) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string') throw mismatch(value, at, 'string');
  return value;
};

export const bool: Decoder<boolean> = (value, at) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'boolean') throw mismatch(value, at, 'bool');
  return value;
};

/** The greatest double below 2^63: what it prints as is still an int64 to Go. */
const SATURATED = Number(2n ** 63n - 1024n);

function integer(goType: string, min: bigint, max: bigint): Decoder<number> {
  const [low, high] = [Number(min), Number(max)];
  return (value, at) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value === 'bigint') {
      if (value < min || value > max) throw mismatch(value, at, goType);
      return Math.max(-SATURATED, Math.min(SATURATED, Number(value)));
    }
    if (typeof value !== 'number') throw mismatch(value, at, goType);
    // A double beyond 2^53 was written with an exponent or a fraction, which Go does not take for an integer.
    if (!Number.isSafeInteger(value) || value < low || value > high) throw mismatch(value, at, goType);
    return value;
  };
}

export const int64 = integer('int64', -(2n ** 63n), 2n ** 63n - 1n);
export const int = integer('int', -(2n ** 63n), 2n ** 63n - 1n);
export const uint16 = integer('uint16', 0n, 2n ** 16n - 1n);
export const uint32 = integer('uint32', 0n, 2n ** 32n - 1n);
export const uint = integer('uint', 0n, 2n ** 64n - 1n);

/** `null` items become the zero value that `zero` names. */
export function list<T>(item: Decoder<T>, goType: string, zero: T): Decoder<readonly T[]> {
  return (value, at) => {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) throw mismatch(value, at, goType);
    return value.map((entry: unknown) => item(entry, at) ?? zero);
  };
}

export const strings = list(string, '[]string', '');

/** Go's `[N]uint`: surplus items are dropped, missing ones are zero. */
export function array(length: number): Decoder<readonly number[]> {
  return (value, at) => {
    if (value === null || value === undefined) return undefined;
    if (!Array.isArray(value)) throw mismatch(value, at, `[${length}]uint`);
    return Array.from({ length }, (_, i) => uint(value[i], at) ?? 0);
  };
}

/** Docker's `strslice`: a list of strings, or one string. */
export const strSlice: Decoder<readonly string[]> = (value, at) =>
  typeof value === 'string' ? [value] : strings(value, at);

/** A map; `key` may put keys into their normal form and refuse others. */
export function dict<T>(options: {
  readonly item: Decoder<T>;
  readonly goType: string;
  readonly zero: T;
  readonly key?: (key: string) => string;
}): Decoder<Readonly<Record<string, T>>> {
  const { item, goType, zero, key = (name: string) => name } = options;
  return (value, at) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, at, goType);
    // `fromEntries` defines own properties, so that a key `__proto__` is only a key.
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [key(name), item(entry, at) ?? zero]));
  };
}

export const stringDict = dict({ item: string, goType: 'map[string]string', zero: '' });

const empty: Decoder<Readonly<Record<string, never>>> = (value, at) => {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, at, 'struct {}');
  return {};
};

/** `{"80/tcp": {}}`: a set of strings. */
export const stringSet = dict({ item: empty, goType: 'map[string]struct {}', zero: {} });

/** Puts `80` and `80/TCP` into the form `80/tcp`. Throws `invalid-argument` for what is no port. */
export function normalizePort(text: string): string {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([A-Za-z]+))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (!match || first > 65_535 || last > 65_535 || first > last) {
    throw new WharfError('invalid-argument', `invalid JSON: invalid port '${text}': invalid syntax`);
  }
  if (protocol !== 'tcp' && protocol !== 'udp' && protocol !== 'sctp') {
    throw new WharfError('invalid-argument', `invalid JSON: invalid port '${text}': unknown protocol "${protocol}"`);
  }
  return `${match[2] === undefined ? first : `${first}-${last}`}/${protocol}`;
}

export const portSet = dict({ item: empty, goType: 'network.PortSet', zero: {}, key: normalizePort });

/** A struct. `name` is Go's type name, which its sentences start with. */
export function struct<T extends object>(name: string, fields: Fields<T>): Decoder<T> {
  const byLowerCase = new Map<string, string>(Object.keys(fields).map((field) => [field.toLowerCase(), field]));
  const decoders = fields as Readonly<Record<string, Decoder<unknown>>>;
  return (value, at) => {
    if (value === null || value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, at, name);
    const out: Record<string, unknown> = {};
    const base = at === '' ? name : at;
    for (const [key, entry] of Object.entries(value)) {
      const field = Object.hasOwn(decoders, key) ? key : byLowerCase.get(key.toLowerCase());
      if (field === undefined) continue;
      const decoded = decoders[field]?.(entry, `${base}.${field}`);
      if (decoded !== undefined) out[field] = decoded;
    }
    return out as T;
  };
}

/** Anything, kept as it came. */
export const raw: Decoder<NonNullable<unknown>> = (value) => value ?? undefined;
