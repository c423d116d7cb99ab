import { MAX_EXPANDED_LENGTH, MAX_PATTERN_WORK } from './limits.ts';
import { DockerfileError } from './location.ts';

/**
 * The patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/text}`: `*`, `?` and backslash (POSIX shell, section
 * 2.13, without bracket expressions). They are matched by hand and not as regular expressions, so that no Dockerfile can make the
 * builder search for ever.
 */
type Token = { readonly kind: 'any' } | { readonly kind: 'one' } | { readonly kind: 'is'; readonly text: string };

/** Removes what `pattern` matches at the start of `value`; the longest match when `greedy`. */
export function trimPrefix(pattern: string, value: string, greedy: boolean): string {
  const ends = matchEnds(parsePattern(pattern), characters(value), 0);
  const end = greedy ? ends.at(-1) : ends[0];
  return end === undefined ? value : characters(value).slice(end).join('');
}

/** Removes what `pattern` matches at the end of `value`; the longest match when `greedy`. */
export function trimSuffix(pattern: string, value: string, greedy: boolean): string {
  const tokens = parsePattern(pattern).toReversed();
  const backwards = characters(value).toReversed();
  const ends = matchEnds(tokens, backwards, 0);
  const end = greedy ? ends.at(-1) : ends[0];
  return end === undefined ? value : backwards.slice(end).toReversed().join('');
}

/** Replaces the first match of `pattern`, or every one; each as long as it can be. */
export function replaceMatches(pattern: string, value: string, replacement: string, every: boolean): string {
  const tokens = parsePattern(pattern);
  const text = characters(value);
  checkWork(tokens, text);
  const out: string[] = [];
  let at = 0;
  let length = 0;
  for (let match = firstMatch(tokens, text, at); match !== undefined; match = firstMatch(tokens, text, at)) {
    const { start, end } = match;
    // At the very end, an empty match after others is none any more.
    if (end === start && start === text.length && at > 0 && every) break;
    for (let index = at; index < start; index += 1) out.push(text[index] ?? '');
    out.push(replacement);
    length += replacement.length;
    if (length > MAX_EXPANDED_LENGTH) throw new DockerfileError('the replacements make the text too long');
    at = end;
    if (!every) break;
    // An empty match lets one character pass, or there would be no end of it.
    if (end === start && at < text.length) out.push(text[at] ?? '');
    if (end === start) at += 1;
    if (at > text.length) break;
  }
  for (let index = at; index < text.length; index += 1) out.push(text[index] ?? '');
  return out.join('');
}

/**
 * The first match at or after `from`, as long as it can be. All places a match may begin at are tried side by side: the work is
 * text times pattern.
 */
function firstMatch(
  tokens: readonly Token[],
  text: readonly string[],
  from: number,
): { readonly start: number; readonly end: number } | undefined {
  // Of each token: where the earliest match that has come to it began; -1 for none.
  let reached = new Int32Array(tokens.length + 1).fill(-1);
  let found: { readonly start: number; readonly end: number } | undefined;
  for (let at = from; at <= text.length; at += 1) {
    if (found === undefined && (reached[0] ?? -1) < 0) reached[0] = at;
    skipStars(tokens, reached);
    const start = reached[tokens.length] ?? -1;
    if (start >= 0 && (found === undefined || start <= found.start)) found = { start, end: at };
    const next = new Int32Array(tokens.length + 1).fill(-1);
    let alive = found === undefined;
    for (const [index, token] of tokens.entries()) {
      const begun = reached[index] ?? -1;
      if (begun < 0 || (found !== undefined && begun > found.start)) continue;
      const character = text[at];
      if (character === undefined) continue;
      const to = token.kind === 'any' ? index : index + 1;
      if (token.kind === 'is' && token.text !== character) continue;
      if ((next[to] ?? -1) < 0 || begun < (next[to] ?? -1)) next[to] = begun;
      alive = true;
    }
    if (!alive) break;
    reached = next;
  }
  return found;
}

/** A star may stand for nothing. */
function skipStars(tokens: readonly Token[], reached: Int32Array): void {
  for (const [index, token] of tokens.entries()) {
    const begun = reached[index] ?? -1;
    if (token.kind !== 'any' || begun < 0) continue;
    const beyond = reached[index + 1] ?? -1;
    if (beyond < 0 || begun < beyond) reached[index + 1] = begun;
  }
}

function checkWork(tokens: readonly Token[], text: readonly string[]): void {
  if (tokens.length * text.length > MAX_PATTERN_WORK) {
    throw new DockerfileError(`the pattern of ${tokens.length} characters is too long for a value of ${text.length}`);
  }
}

function characters(text: string): readonly string[] {
  return Array.from(text);
}

function parsePattern(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  const text = characters(pattern);
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '*') tokens.push({ kind: 'any' });
    else if (character === '?') tokens.push({ kind: 'one' });
    else if (character === '\\') {
      const next = text[at + 1] ?? '';
      if (!['}', '/', '*', '?', '\\'].includes(next)) {
        throw new DockerfileError(`invalid pattern (${pattern}) in substitution: invalid escape '\\${next}'`);
      }
      tokens.push({ kind: 'is', text: next });
      at += 1;
    } else tokens.push({ kind: 'is', text: character });
  }
  return tokens;
}

/** Where matches that begin at `start` may end, ascending. Linear in text times pattern. */
function matchEnds(tokens: readonly Token[], text: readonly string[], start: number): readonly number[] {
  checkWork(tokens, text);
  let reached = new Set([start]);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of reached) {
      if (token.kind === 'any') {
        for (let end = at; end <= text.length && !next.has(end); end += 1) next.add(end);
      } else if (at < text.length && (token.kind === 'one' || text[at] === token.text)) next.add(at + 1);
    }
    reached = next;
  }
  return [...reached].sort((left, right) => left - right);
}
