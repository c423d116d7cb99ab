import { messageOf, WharfError } from '@wharf/kit';
import type { Query } from './route.ts';

const falsy = new Set(['', '0', 'no', 'false', 'none']);

/** Query parameters of one request, parsed when first asked for. */
export class SearchQuery implements Query {
  readonly #text: string;
  #params: URLSearchParams | undefined;

  /** `text` is the part behind the `?`. */
  constructor(text: string) {
    this.#text = text;
  }

  get #parsed(): URLSearchParams {
    this.#params ??= new URLSearchParams(this.#text);
    return this.#params;
  }

  get(name: string): string | undefined {
    return this.#parsed.get(name) ?? undefined;
  }

  getAll(name: string): readonly string[] {
    return this.#parsed.getAll(name);
  }

  has(name: string): boolean {
    return this.#parsed.has(name);
  }

  bool(name: string, whenAbsent = false): boolean {
    const value = this.get(name);
    if (value === undefined) return whenAbsent;
    return !falsy.has(value.trim().toLowerCase());
  }

  int(name: string): number | undefined {
    const value = this.get(name);
    if (value === undefined || value === '') return undefined;
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value) || !Number.isSafeInteger(number)) {
      throw new WharfError(
        'invalid-argument',
        `invalid value for '${name}': parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    }
    return number;
  }

  filters(name = 'filters'): ReadonlyMap<string, readonly string[]> {
    const text = this.get(name);
    return text === undefined || text === '' ? new Map() : parseFilters(text);
  }
}

/**
 * Docker's filter JSON, `{"label":["a"]}` or `{"label":{"a":true}}`; a value `false` in the latter counts as given,
 * as in Go's map of sets. Throws `invalid-argument`.
 */
export function parseFilters(text: string): ReadonlyMap<string, readonly string[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new WharfError('invalid-argument', 'invalid filter', { cause, details: { reason: messageOf(cause) } });
  }
  const filters = new Map<string, readonly string[]>();
  if (parsed === null) return filters;
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new WharfError('invalid-argument', 'invalid filter');
  for (const [key, value] of Object.entries(parsed)) filters.set(key, filterValues(value));
  return filters;
}

function filterValues(value: unknown): readonly string[] {
  if (value === null) return [];
  if (Array.isArray(value)) {
    if (!value.every((item) => typeof item === 'string')) throw new WharfError('invalid-argument', 'invalid filter');
    return [...new Set<string>(value)];
  }
  if (typeof value !== 'object' || !Object.values(value).every((item) => typeof item === 'boolean')) {
    throw new WharfError('invalid-argument', 'invalid filter');
  }
  return Object.keys(value);
}
