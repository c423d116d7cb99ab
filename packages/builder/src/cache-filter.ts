import { type Filters, parseGoDuration, WharfError } from '@wharf/kit';
import type { CacheEntry } from './cache-usage.ts';

/** Which entries of the cache are meant. */
export interface CacheFilter {
  readonly matches: (entry: CacheEntry) => boolean;
  /** Only those that nobody used since, milliseconds since 1970. */
  readonly unusedSince?: number | undefined;
}

interface Term {
  readonly field: string;
  readonly operator: '' | '==' | '!=' | '~=';
  readonly value: string;
}

const TEXT_FIELDS = new Set(['id', 'parent', 'parents', 'description', 'type']);
const MARK_FIELDS = new Set(['inuse', 'mutable', 'immutable', 'shared', 'private']);

/** The filters of `POST /build/prune` and of daemon.json (Engine API, "BuildPrune"). Throws `invalid-argument`. */
export function dockerFilter(filters: Filters, nowMs: number): CacheFilter {
  let unusedSince: number | undefined;
  const terms: Term[] = [];
  for (const [name, values] of filters) {
    const [value = ''] = values;
    if (values.length > 1 && !name.startsWith('label'))
      throw new WharfError('invalid-argument', `invalid filter '${name}=${values.join(',')}'`);
    if (name === 'until' || name === 'unused-for') unusedSince = momentOf(name, value, nowMs);
    else if (MARK_FIELDS.has(name)) terms.push({ field: name, operator: isNo(value) ? '!=' : '', value: '' });
    else if (name === 'id') terms.push({ field: name, operator: '~=', value });
    else if (TEXT_FIELDS.has(name)) terms.push({ field: name, operator: '==', value });
    // `docker system prune --filter label=…` says it to every kind of thing; nothing in the cache has a label.
    else if (name === 'label') terms.push({ field: 'id', operator: '==', value: '' });
    else if (name === 'label!') continue;
    else throw new WharfError('invalid-argument', `invalid filter '${name}'`);
  }
  return { matches: (entry) => terms.every((term) => fits(entry, term)), unusedSince };
}

/**
 * BuildKit's filters: each a list of terms joined by commas that must all fit, of which one filter has to (containerd, package
 * `filters`). No regular expression of a client's is run: `~=` looks for a part of the text. Throws `invalid-argument`.
 */
export function buildkitFilter(filters: readonly string[], unusedSince: number | undefined): CacheFilter {
  const parsed = filters.filter((each) => each !== '').map(parseTerms);
  const matches = (entry: CacheEntry): boolean =>
    parsed.length === 0 || parsed.some((terms) => terms.every((term) => fits(entry, term)));
  return { matches, unusedSince };
}

function parseTerms(text: string): readonly Term[] {
  return splitTerms(text).map((part) => {
    const at = part.search(/[=!~]=/);
    const field = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    if (!TEXT_FIELDS.has(field) && !MARK_FIELDS.has(field)) {
      throw new WharfError('invalid-argument', `failed to parse prune filters ["${text}"]: unknown field "${field}"`);
    }
    if (at < 0) return { field, operator: '', value: '' };
    const operator = part.slice(at, at + 2) as '==' | '!=' | '~=';
    return { field, operator, value: unquote(part.slice(at + 2).trim()) };
  });
}

/** Cut at commas outside of quotes. */
function splitTerms(text: string): readonly string[] {
  const parts = [''];
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (character === ',' && !isQuoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function unquote(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

function fits(entry: CacheEntry, { field, operator, value }: Term): boolean {
  if (MARK_FIELDS.has(field)) return isMarked(entry, field) === (operator !== '!=');
  const text = textOf(entry, field);
  if (operator === '') return text !== '';
  if (operator === '~=') return text.includes(value.replace(/^\^|\$$/g, ''));
  return (text === value) === (operator === '==');
}

function isMarked(entry: CacheEntry, field: string): boolean {
  switch (field) {
    case 'inuse':
      return entry.inUse;
    case 'shared':
      return entry.shared;
    case 'private':
      return !entry.shared;
    // Steps do not change; what mounts and contexts hold does.
    case 'mutable':
      return entry.kind !== 'regular';
    default:
      return entry.kind === 'regular';
  }
}

function textOf(entry: CacheEntry, field: string): string {
  switch (field) {
    case 'id':
      return entry.id;
    case 'type':
      return entry.kind;
    case 'description':
      return entry.description;
    default:
      return entry.parent;
  }
}

function isNo(value: string): boolean {
  return /^(0|f|false)$/i.test(value);
}

/** A duration before now, or a time. */
function momentOf(name: string, text: string, nowMs: number): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const time = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time)) return time;
  try {
    return nowMs - Number(parseGoDuration(text) / 1_000_000n);
  } catch {
    throw new WharfError('invalid-argument', `"${name}" filter expects a duration (e.g., '24h') or a timestamp`);
  }
}
