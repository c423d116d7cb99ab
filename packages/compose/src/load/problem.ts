import { type Place, placeKeys } from './path-rules.ts';

/**
 * Something wrong in a file, before it is known where in the file: the loader turns it into a `WharfError` with
 * `file:line:column`. The message is compose's, because people and scripts know it.
 */
export class Problem extends Error {
  /** Keys from the top of the document to the place, as far as it is known. */
  readonly keys: readonly string[];
  /** What to write instead. */
  readonly suggestion: string | undefined;
  /** Where exactly, if the thrower knows better than the keys can tell. */
  readonly at: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  /** The file being read when it was found, which is where it most likely is. */
  file: string | undefined;

  constructor(
    message: string,
    options: {
      place?: Place | undefined;
      keys?: readonly string[];
      suggestion?: string | undefined;
      at?: { file: string; line: number; column: number } | undefined;
    } = {},
  ) {
    super(message);
    this.name = 'Problem';
    this.keys = options.keys ?? placeKeys(options.place);
    this.suggestion = options.suggestion;
    this.at = options.at;
  }
}

/** The word of `known` nearest to `word` (Damerau-Levenshtein, at most a third of its letters wrong), for "did you mean". */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  if (word.length < 3) return undefined;
  let least = Math.floor(word.length / 3) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [least, best] = [distance, candidate];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length] ?? 0;
}
