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
  const out: string[] = [];
  let at = 0;
  while (at <= text.length) {
    const end = matchEnds(tokens, text, at).at(-1);
    if (end === undefined || (end === at && at === text.length && at > 0 && every)) {
      if (at < text.length) out.push(text[at] ?? '');
      at += 1;
      continue;
    }
    out.push(replacement);
    if (!every) {
      out.push(...text.slice(end));
      break;
    }
    // An empty match lets one character pass, or there would be no end of it.
    if (end === at && at < text.length) out.push(text[at] ?? '');
    at = Math.max(end, at + 1);
  }
  return out.join('');
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
