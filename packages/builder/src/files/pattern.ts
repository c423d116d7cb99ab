import { WharfError } from '@wharf/kit';

/**
 * Go's filepath.Match with `**`, as .dockerignore, `--exclude` and `--parents` have it: `*` and `?` stop at a slash, `[a-z]` and
 * `[^a-z]` are classes, a backslash quotes, and `**` stands for any number of directories.
 */
type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'double-star' }
  | { readonly kind: 'directories' }
  | { readonly kind: 'one'; readonly test: (character: string) => boolean };

/** No path is longer. */
const MAX_PATTERN_LENGTH = 4096;

/** A pattern, read once. Matching is linear in text times pattern, whatever the pattern. */
export class Pattern {
  readonly text: string;
  readonly #tokens: readonly Token[];

  /**
   * Throws `invalid-argument` (`syntax error in pattern`) for an unfinished class or escape.
   * @param doubleStars false where `**` is two stars and no more: in sources of COPY
   */
  constructor(text: string, { doubleStars = true }: { readonly doubleStars?: boolean } = {}) {
    if (text.length > MAX_PATTERN_LENGTH) {
      throw new WharfError('invalid-argument', `a pattern is longer than ${MAX_PATTERN_LENGTH} characters`);
    }
    this.text = text;
    this.#tokens = parse(text, doubleStars);
  }

  /** True when the whole of `path` is matched. */
  matches(path: string): boolean {
    return this.#ends(path).has(path.length);
  }

  /** True when `path` is matched, or a directory that it lies in. */
  matchesWithin(path: string): boolean {
    for (const end of this.#ends(path)) if (end === path.length || (end > 0 && path[end] === '/')) return true;
    return false;
  }

  /** Where a match that begins with the path may end. */
  #ends(path: string): ReadonlySet<number> {
    let reached = new Set<number>([0]);
    for (const token of this.#tokens) {
      const next = new Set<number>();
      for (const at of reached) advance(token, path, at, next);
      reached = next;
      if (reached.size === 0) break;
    }
    return reached;
  }
}

function advance(token: Token, text: string, at: number, next: Set<number>): void {
  if (token.kind === 'one') {
    const character = text[at];
    if (character !== undefined && token.test(character)) next.add(at + 1);
    return;
  }
  if (token.kind === 'directories') {
    next.add(at);
    for (let slash = text.indexOf('/', at); slash >= 0 && !next.has(slash + 1); slash = text.indexOf('/', slash + 1)) {
      next.add(slash + 1);
    }
    return;
  }
  for (let end = at; end <= text.length && !next.has(end); end += 1) {
    next.add(end);
    if (token.kind === 'star' && text[end] === '/') return;
  }
}

function parse(pattern: string, doubleStars: boolean): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '*') {
      const double = doubleStars && pattern[at + 1] === '*';
      if (double) at += 1;
      if (double && pattern[at + 1] === '/') at += 1;
      // At the end it takes everything, anywhere else whole directories.
      const many = at === pattern.length - 1 ? 'double-star' : 'directories';
      const kind = double ? many : 'star';
      // Several in a row are no more than one.
      if (tokens.at(-1)?.kind !== kind) tokens.push({ kind });
    } else if (character === '?') tokens.push({ kind: 'one', test: (c) => c !== '/' });
    else if (character === '[') {
      const set = parseClass(pattern, at);
      tokens.push({ kind: 'one', test: set.test });
      at = set.end;
    } else {
      if (character === '\\') at += 1;
      const wanted = pattern[at];
      if (wanted === undefined) throw malformed(pattern);
      tokens.push({ kind: 'one', test: (c) => c === wanted });
    }
  }
  return tokens;
}

function parseClass(pattern: string, start: number): { readonly test: (c: string) => boolean; readonly end: number } {
  let at = start + 1;
  const negated = pattern[at] === '^';
  if (negated) at += 1;
  const ranges: (readonly [string, string])[] = [];
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = readCharacter(pattern, at);
    at = low.end;
    let high = low;
    if (pattern[at] === '-') {
      high = readCharacter(pattern, at + 1);
      at = high.end;
    }
    ranges.push([low.character, high.character]);
  }
  return { test: (c) => c !== '/' && ranges.some(([low, high]) => low <= c && c <= high) !== negated, end: at };
}

function readCharacter(pattern: string, at: number): { readonly character: string; readonly end: number } {
  const quoted = pattern[at] === '\\';
  const character = pattern[quoted ? at + 1 : at];
  if (character === undefined || (!quoted && (character === '-' || character === ']'))) throw malformed(pattern);
  return { character, end: at + (quoted ? 2 : 1) };
}

function malformed(pattern: string): WharfError {
  return new WharfError('invalid-argument', `syntax error in pattern: ${JSON.stringify(pattern)}`);
}
