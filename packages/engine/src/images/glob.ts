/**
 * Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are classes, a backslash quotes. A malformed pattern
 * matches nothing. Runs in time linear in text times pattern.
 */
export function globMatches(pattern: string, text: string): boolean {
  const tokens = parseGlob(pattern);
  if (tokens === undefined) return false;
  let reached = new Set<number>([0]);
  for (const [index, token] of tokens.entries()) {
    const next = new Set<number>();
    for (const at of reached) advance(token, text, at, next);
    reached = next;
    if (reached.size === 0) return false;
    if (index === tokens.length - 1) break;
  }
  return reached.has(text.length);
}

type Token = { readonly kind: 'star' } | { readonly kind: 'one'; readonly test: (character: string) => boolean };

function advance(token: Token, text: string, at: number, next: Set<number>): void {
  if (token.kind === 'one') {
    const character = text[at];
    if (character !== undefined && token.test(character)) next.add(at + 1);
    return;
  }
  for (let end = at; end <= text.length && !next.has(end); end += 1) {
    next.add(end);
    if (text[end] === '/') return;
  }
}

function parseGlob(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at];
    if (character === '*') {
      tokens.push({ kind: 'star' });
    } else if (character === '?') {
      tokens.push({ kind: 'one', test: (c) => c !== '/' });
    } else if (character === '[') {
      const parsed = parseClass(pattern, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push({ kind: 'one', test: parsed.test });
      at = parsed.end;
    } else {
      if (character === '\\') at += 1;
      const literal = pattern[at];
      if (literal === undefined) return undefined;
      tokens.push({ kind: 'one', test: (c) => c === literal });
    }
  }
  return tokens;
}

function parseClass(
  pattern: string,
  start: number,
): { readonly test: (character: string) => boolean; readonly end: number } | undefined {
  let at = start;
  const negate = pattern[at] === '^';
  if (negate) at += 1;
  const ranges: (readonly [string, string])[] = [];
  const take = (): string | undefined => {
    if (pattern[at] === '-' || pattern[at] === ']') return undefined;
    if (pattern[at] === '\\') at += 1;
    const character = pattern[at];
    at += 1;
    return character;
  };
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = take();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (pattern[at] === '-') {
      at += 1;
      high = take();
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  return { test: (c) => ranges.some(([low, high]) => c >= low && c <= high) !== negate, end: at };
}
