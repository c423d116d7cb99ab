/** `KEY=VALUE` of `--filter`; an empty one says nothing. */
export type FilterPair = readonly [key: string, value: string] | undefined;

/** Docker's `--filter`: may come several times. Read the values with `filterQuery()`. */
export function filterFlag<const S extends string>(help: string, short?: S) {
  return { kind: 'list', type: 'filter', help, parse: parseFilter, ...(short === undefined ? {} : { short }) } as const;
}

function parseFilter(text: string): FilterPair {
  if (text === '') return undefined;
  const equals = text.indexOf('=');
  if (equals < 0) throw new Error('bad format of filter (expected name=value)');
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

/** The `filters` parameter of a request; `undefined` when there is nothing to filter by. */
export function filterQuery(
  pairs: readonly FilterPair[],
): Readonly<Record<string, Readonly<Record<string, true>>>> | undefined {
  const filters: Record<string, Record<string, true>> = {};
  for (const pair of pairs) {
    if (pair === undefined) continue;
    const [key, value] = pair;
    const values = Object.hasOwn(filters, key) ? filters[key] : undefined;
    filters[key] = { ...values, [value]: true };
  }
  return Object.keys(filters).length === 0 ? undefined : filters;
}
