import { posix } from 'node:path';
import { Pattern } from '@wharf/builder/files/pattern';

/** `**`: any number of directories. */
const ANY_DEPTH = Symbol('any depth');

interface Rule {
  readonly pattern: Pattern;
  /** The pattern, part by part, to tell whether it could match something below a directory. */
  readonly parts: readonly (string | Pattern | typeof ANY_DEPTH)[];
  readonly keeps: boolean;
}

/** What a directory's rules came to, for those of what is in it. */
export type Verdicts = readonly boolean[];

/**
 * A list of patterns as `PatternList` of the builder has them, for a walk: what a directory came to is handed down to what is in it, and
 * directories in which nothing can be wanted are told beforehand.
 */
export class PathFilter {
  readonly #rules: readonly Rule[];
  readonly root: Verdicts;

  /** Throws `invalid-argument` for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((text) => {
      const trimmed = text.trim();
      const keeps = trimmed.startsWith('!');
      const cleaned = clean(keeps ? trimmed.slice(1).trim() : trimmed);
      return cleaned === '' ? [] : [{ pattern: new Pattern(cleaned), parts: cleaned.split('/').map(partOf), keeps }];
    });
    this.root = this.#rules.map(() => false);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** Which rules match a path, or a directory above it whose verdicts are given. */
  verdicts(path: string, above: Verdicts): Verdicts {
    return this.#rules.map(({ pattern, parts }, index) => {
      if (above[index] === true) return true;
      return parts.length === 1 && typeof parts[0] === 'string' ? pattern.text === path : pattern.matches(path);
    });
  }

  /** True when the last rule that matches is none that takes back. */
  matches(verdicts: Verdicts): boolean {
    let matched = false;
    for (const [index, { keeps }] of this.#rules.entries()) if (verdicts[index] === true) matched = !keeps;
    return matched;
  }

  /** True when a rule that takes back (or, with `keeps` false, one that does not) could match something below a directory. */
  mayMatchBelow(directory: string, keeps: boolean): boolean {
    const names = directory.split('/');
    return this.#rules.some((rule) => rule.keeps === keeps && couldLeadBelow(rule.parts, names));
  }
}

function couldLeadBelow(parts: Rule['parts'], names: readonly string[]): boolean {
  for (const [index, name] of names.entries()) {
    const part = parts[index];
    if (part === undefined) return false;
    if (part === ANY_DEPTH) return true;
    if (typeof part === 'string' ? part !== name : !part.matches(name)) return false;
  }
  return parts.length > names.length;
}

function partOf(part: string): string | Pattern | typeof ANY_DEPTH {
  if (part.includes('**')) return ANY_DEPTH;
  return /[*?[\\]/.test(part) ? new Pattern(part) : part;
}

function clean(pattern: string): string {
  if (pattern === '') return '';
  const cleaned = posix.normalize(pattern).replace(/\/+$/, '').replace(/^\/+/, '');
  return cleaned === '.' ? '' : cleaned;
}
