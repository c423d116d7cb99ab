import { WharfError } from './errors.ts';

/** Docker's `filters` parameter, parsed: values of one key are alternatives, keys must all match. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws `invalid-argument` (`invalid filter 'x'`) for a key that the endpoint does not know. */
export function validateFilters(filters: Filters, allowed: readonly string[]): void {
  for (const key of filters.keys()) {
    if (!allowed.includes(key)) throw new WharfError('invalid-argument', `invalid filter '${key}'`);
  }
}

/** The values of a key, none when absent. */
export function filterValues(filters: Filters, key: string): readonly string[] {
  return filters.get(key) ?? [];
}

/** True when the key is absent, or one of its values is exactly `value`. */
export function matchesExactly(filters: Filters, key: string, value: string): boolean {
  const wanted = filterValues(filters, key);
  return wanted.length === 0 || wanted.includes(value);
}

/**
 * True when the key is absent, or one of its values is `value`, or occurs in it as a regular expression (Docker's `Match`:
 * names and ids). A value that is no valid expression matches by equality only.
 */
export function matchesPattern(filters: Filters, key: string, value: string): boolean {
  const wanted = filterValues(filters, key);
  return wanted.length === 0 || wanted.some((pattern) => pattern === value || safeTest(pattern, value));
}

// A client's pattern runs in our loop: refuse the shapes that can backtrack without end (nested or adjacent repeats).
function safeTest(pattern: string, value: string): boolean {
  if (/^[\w./:@-]*$/.test(pattern) && !pattern.includes('.')) return value.includes(pattern);
  if (pattern.length > 512 || (pattern.match(/[*+{]/g) ?? []).length > 4 || /[*+}]\)?[*+{]/.test(pattern))
    return value.includes(pattern);
  try {
    return new RegExp(pattern).test(value.slice(0, 1024));
  } catch {
    return false;
  }
}

/** True when the key is absent, or one of its values is a prefix of `value`. */
export function matchesPrefix(filters: Filters, key: string, value: string): boolean {
  const wanted = filterValues(filters, key);
  return wanted.length === 0 || wanted.some((prefix) => value.startsWith(prefix));
}

/**
 * True when every value of the key (`k` or `k=v`) is met by the labels. Unlike other keys, labels are all required, as in
 * Docker's `MatchKVList`.
 */
export function matchesLabels(
  filters: Filters,
  labels: Readonly<Record<string, string>> | undefined,
  key = 'label',
): boolean {
  return filterValues(filters, key).every((wanted) => matchesLabel(wanted, labels));
}

/** True when the labels hold `k` or `k=v`. */
export function matchesLabel(wanted: string, labels: Readonly<Record<string, string>> | undefined): boolean {
  const equals = wanted.indexOf('=');
  const name = equals < 0 ? wanted : wanted.slice(0, equals);
  if (labels === undefined || !Object.hasOwn(labels, name)) return false;
  return equals < 0 || labels[name] === wanted.slice(equals + 1);
}

const truths: Readonly<Record<string, boolean>> = { '1': true, true: true, '0': false, false: false };

/**
 * A boolean filter (`dangling=true`): `whenAbsent` without the key. Throws `invalid-argument`
 * (`invalid filter 'dangling=[x]'`) for any other value or both at once.
 */
export function filterBoolean(filters: Filters, key: string, whenAbsent: boolean): boolean {
  const wanted = filterValues(filters, key);
  if (wanted.length === 0) return whenAbsent;
  const values = new Set(wanted.map((value) => (Object.hasOwn(truths, value) ? truths[value] : undefined)));
  const [only] = values;
  if (values.size !== 1 || only === undefined) {
    throw new WharfError('invalid-argument', `invalid filter '${key}=[${wanted.join(' ')}]'`);
  }
  return only;
}
