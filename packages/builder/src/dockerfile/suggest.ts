import { MAX_SUGGESTION_LENGTH, MAX_SUGGESTIONS } from './limits.ts';

/** How far a word may be from what was meant: fewer edits than this. */
const TOO_FAR = 3;

/**
 * The nearest of `options` to a mistyped `word`, by edit distance; undefined when none is near, or when the word is one of them,
 * since the fault lies elsewhere then. Without `caseSensitive` the answer takes the case of the word.
 */
export function nearest(word: string, options: Iterable<string>, caseSensitive = true): string | undefined {
  if (word.length > MAX_SUGGESTION_LENGTH) return undefined;
  const asked = caseSensitive ? word : word.toLowerCase();
  let best: string | undefined;
  let least = TOO_FAR;
  let left = MAX_SUGGESTIONS;
  for (const option of options) {
    left -= 1;
    if (left < 0) break;
    const candidate = caseSensitive ? option : option.toLowerCase();
    if (candidate === asked) return undefined;
    const distance = editDistance(asked, candidate);
    if (distance < least) {
      least = distance;
      best = caseSensitive ? option : inCaseOf(word, option);
    }
  }
  return best;
}

/** ` (did you mean X?)`, or nothing. */
export function didYouMean(word: string, options: Iterable<string>, caseSensitive = true): string {
  const found = nearest(word, options, caseSensitive);
  return found === undefined ? '' : ` (did you mean ${found}?)`;
}

function inCaseOf(word: string, option: string): string {
  if (word === word.toLowerCase()) return option.toLowerCase();
  return word === word.toUpperCase() ? option.toUpperCase() : option;
}

/** Levenshtein's distance; texts whose lengths differ too much are just far. */
function editDistance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) >= TOO_FAR) return TOO_FAR;
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1] ? 0 : 1;
      current.push(
        Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + same),
      );
    }
    previous = current;
  }
  return previous[right.length] ?? TOO_FAR;
}
