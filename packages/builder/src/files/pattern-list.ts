import { posix } from 'node:path';
import { Pattern } from './pattern.ts';

interface Rule {
  readonly pattern: Pattern;
  readonly keeps: boolean;
}

/**
 * A list of patterns of which the last that matches decides; `!` takes back. What matches a directory matches all below it
 * (Dockerfile reference, ".dockerignore file").
 */
export class PatternList {
  readonly #rules: readonly Rule[];
  readonly #hasExceptions: boolean;

  /** Throws `invalid-argument` for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((text) => {
      const trimmed = text.trim();
      const keeps = trimmed.startsWith('!');
      const cleaned = clean(keeps ? trimmed.slice(1).trim() : trimmed);
      return cleaned === '' ? [] : [{ pattern: new Pattern(cleaned), keeps }];
    });
    this.#hasExceptions = this.#rules.some(({ keeps }) => keeps);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** True when nothing below a matched directory can be wanted, so that it need not be entered. */
  get isFinal(): boolean {
    return !this.#hasExceptions;
  }

  /** True when `path` (without leading slash), or a directory it lies in, is matched and not taken back. */
  matches(path: string): boolean {
    let matched = false;
    for (const { pattern, keeps } of this.#rules) {
      if (matched === keeps && pattern.matchesWithin(path)) matched = !keeps;
    }
    return matched;
  }
}

function clean(pattern: string): string {
  if (pattern === '') return '';
  const cleaned = posix.normalize(pattern).replace(/\/+$/, '').replace(/^\/+/, '');
  return cleaned === '.' ? '' : cleaned;
}

/**
 * The patterns of a .dockerignore file: remarks and blank lines are left out, paths are cleaned, and a slash in front means nothing
 * (Dockerfile reference, ".dockerignore file").
 */
export function readIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => {
      const trimmed = line.trim();
      const mark = trimmed.startsWith('!') ? '!' : '';
      const path = trimmed.slice(mark.length).trim();
      if (path === '') return trimmed;
      const cleaned = posix.normalize(path).replace(/(.)\/+$/, '$1');
      return mark + (cleaned.length > 1 ? cleaned.replace(/^\//, '') : cleaned);
    });
}
