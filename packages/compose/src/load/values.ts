/**
 * The tree between YAML and the model: what Go's decoder would hold in `any`, with its types told apart, because texts and
 * messages depend on them (`1` and `1.0` are not the same label).
 */
export type Value = null | string | boolean | number | bigint | Float | Timestamp | Value[] | Dict;

/** A mapping; without a prototype, so that a key `__proto__` is a key. */
export interface Dict {
  [key: string]: Value;
}

/** A number that Go holds as a float. Plain `number` is an integer, `bigint` one beyond 2^53. */
export class Float {
  readonly value: number;
  readonly bits: 32 | 64;

  constructor(value: number, bits: 32 | 64 = 64) {
    this.value = bits === 32 ? Math.fround(value) : value;
    this.bits = bits;
  }
}

/** A YAML timestamp: Compose refuses it wherever it has a say, `x-` values carry it. */
export class Timestamp {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A new, empty mapping. */
export function dict(entries: Record<string, Value> = {}): Dict {
  return Object.assign(Object.create(null) as Dict, entries);
}

/** Sets a key that may be `__proto__`. */
export function define<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

export function isDict(value: Value | undefined): value is Dict {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null;
}

/** The mapping at `key`, or undefined where there is none. */
export function dictAt(parent: Dict, key: string): Dict | undefined {
  const value = parent[key];
  return isDict(value) ? value : undefined;
}

/** A copy that shares nothing that can change. */
export function cloneValue(value: Value): Value {
  if (Array.isArray(value)) return value.map(cloneValue);
  if (!isDict(value)) return value;
  const copy = dict();
  for (const key of Object.keys(value)) copy[key] = cloneValue(value[key] ?? null);
  return copy;
}

/** Whether two trees say the same, as Go's `reflect.DeepEqual` has it. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i] ?? null));
  if (a instanceof Float) return b instanceof Float && a.bits === b.bits && a.value === b.value;
  if (a instanceof Timestamp) return b instanceof Timestamp && a.text === b.text;
  if (!isDict(a) || !isDict(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => key in b && sameValue(a[key] ?? null, b[key] ?? null));
}

/** Go's `fmt.Sprint`. */
export function goString(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value !== 'object') return String(value);
  if (value instanceof Float) return formatFloat(value.value, value.bits);
  if (value instanceof Timestamp) return value.text;
  if (Array.isArray(value)) return `[${value.map(goString).join(' ')}]`;
  const entries = Object.keys(value).sort(byCodePoint);
  return `map[${entries.map((key) => `${key}:${goString(value[key] ?? null)}`).join(' ')}]`;
}

/** Go's name of a value's type, as `%T` prints it. */
export function goType(value: Value): string {
  if (value === null) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number' || typeof value === 'bigint') return 'int';
  if (value instanceof Float) return `float${value.bits}`;
  if (value instanceof Timestamp) return 'time.Time';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** Go's `strconv.FormatFloat(value, 'g', -1, bits)`: `0.5`, `1e+06`. */
export function formatFloat(value: number, bits: 32 | 64): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const shortest = shortestFloat(value, bits);
  const [mantissa = '', exponentText = '0'] = Math.abs(shortest).toExponential().split('e');
  const exponent = Number(exponentText);
  const sign = shortest < 0 ? '-' : '';
  if (exponent >= -4 && exponent < 6) return sign + plainDigits(mantissa, exponent);
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** The decimal number with the fewest digits that reads back as `value` in that width. */
export function shortestFloat(value: number, bits: 32 | 64): number {
  if (bits === 64) return value;
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function plainDigits(mantissa: string, exponent: number): string {
  const digits = mantissa.replace('.', '');
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** The order of Go's strings (by byte, which is by code point). */
export function byCodePoint(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // A surrogate stands for a code point above all others of the plane.
    const surrogateX = x >= 0xd800 && x <= 0xdfff;
    const surrogateY = y >= 0xd800 && y <= 0xdfff;
    if (surrogateX !== surrogateY) return surrogateX ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}
