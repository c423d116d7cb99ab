const CHUNK = 512;

/**
 * A set of strings in the order of their UTF-16 units.
 *
 * Kept as sorted runs of at most `2 * CHUNK` keys, none empty: adding or removing one costs two binary searches and a move within a run,
 * whatever the size, and reading on from a key costs what is read.
 */
export class SortedKeys {
  #runs: string[][] = [];

  /** Takes over all keys at once; cheaper than one by one. */
  static of(keys: Iterable<string>): SortedKeys {
    const sorted = [...keys].sort();
    const made = new SortedKeys();
    for (let at = 0; at < sorted.length; at += CHUNK) made.#runs.push(sorted.slice(at, at + CHUNK));
    return made;
  }

  add(key: string): void {
    const at = Math.max(0, this.#runAfter(key) - 1);
    const run = this.#runs[at];
    if (run === undefined) {
      this.#runs.push([key]);
      return;
    }
    const place = lowerBound(run, key);
    if (run[place] === key) return;
    run.splice(place, 0, key);
    if (run.length > 2 * CHUNK) this.#runs.splice(at + 1, 0, run.splice(CHUNK));
  }

  delete(key: string): void {
    const at = this.#runAfter(key) - 1;
    const run = this.#runs[at];
    if (run === undefined) return;
    const place = lowerBound(run, key);
    if (run[place] !== key) return;
    run.splice(place, 1);
    if (run.length === 0) this.#runs.splice(at, 1);
  }

  /** The keys not before `start`, in order. The set must not change meanwhile. */
  *from(start: string): Generator<string> {
    for (let at = Math.max(0, this.#runAfter(start) - 1); at < this.#runs.length; at += 1) {
      const run = this.#runs[at] ?? [];
      const first = (run.at(0) ?? '') >= start ? 0 : lowerBound(run, start);
      for (let place = first; place < run.length; place += 1) yield run[place] ?? '';
    }
  }

  /** The number of runs whose first key is not after `key`. */
  #runAfter(key: string): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.[0] ?? '') <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The place of the first element not before `key`. */
function lowerBound(run: readonly string[], key: string): number {
  let low = 0;
  let high = run.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((run[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
