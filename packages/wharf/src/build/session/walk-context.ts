import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { MAX_DEPTH, MAX_ENTRIES } from '../limits.ts';
import { followPaths } from './follow-paths.ts';
import { PathFilter, type Verdicts } from './path-filter.ts';

export interface ContextEntry {
  readonly path: string;
  /** Below the context. */
  readonly name: string;
  readonly status: BigIntStats;
}

export interface ContextSelection {
  /** Only what these match, with the directories above; everything when empty. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Like `include`, and where symlinks on the way lead. */
  readonly follow: readonly string[];
}

interface Level {
  readonly name: string;
  readonly names: string[];
  readonly included: Verdicts;
  readonly excluded: Verdicts;
}

/**
 * What of a directory is wanted, each directory before what is in it, siblings in the order of their bytes. Directories that are not
 * wanted themselves come when something in them is.
 */
export function* walkContext(root: string, selection: ContextSelection): Generator<ContextEntry, void, undefined> {
  const followed = selection.follow.length > 0 ? followPaths(root, selection.follow) : undefined;
  const include = new PathFilter([...selection.include, ...(followed ?? []).map(quoted)]);
  const exclude = new PathFilter(selection.exclude);
  const levels: Level[] = [
    { name: '', names: namesIn(root).reverse(), included: include.root, excluded: exclude.root },
  ];
  /** Directories on the way that were passed over so far. */
  let pending: ContextEntry[] = [];
  let count = 0;
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.names.pop();
    if (next === undefined) {
      levels.pop();
      pending = pending.filter(({ name }) => name !== level.name);
      continue;
    }
    const name = level.name === '' ? next : `${level.name}/${next}`;
    const path = `${root}/${name}`;
    const included = include.verdicts(name, level.included);
    const excluded = exclude.verdicts(name, level.excluded);
    const isIn = include.isEmpty || include.matches(included);
    const isOut = exclude.matches(excluded);
    const status = statusOf(path);
    if (status === undefined) {
      // A name that is no UTF-8 is not found again by what was read of it.
      if (isIn && !isOut) checked(name);
      continue;
    }
    const isDirectory = status.isDirectory();
    const wanted = isIn && !isOut;
    const enter =
      isDirectory && (isIn || include.mayMatchBelow(name, false)) && (!isOut || exclude.mayMatchBelow(name, true));
    if (!wanted && !enter) continue;
    if (wanted) {
      for (const above of pending) yield above;
      pending = [];
      count += 1;
      if (count > MAX_ENTRIES) throw new WharfError('resource-exhausted', `Cannot send "${root}": too many files`);
      yield { path, name: checked(name), status };
    } else pending.push({ path, name: checked(name), status });
    if (!enter) continue;
    if (levels.length >= MAX_DEPTH) throw new WharfError('resource-exhausted', `Cannot send "${path}": it is too deep`);
    levels.push({ name, names: namesIn(path).reverse(), included, excluded });
  }
}

/** Paths that were found are no patterns, but for those that hold wildcards. */
function quoted(path: string): string {
  return path.startsWith('!') ? `\\${path}` : path;
}

/** Names travel as UTF-8: others cannot be told. */
function checked(name: string): string {
  if (!name.includes('\ufffd')) return name;
  throw new WharfError('invalid-argument', `Cannot send ${JSON.stringify(name)}: its name is no UTF-8`, {
    hint: 'Rename the file, or leave it out by .dockerignore.',
  });
}

function namesIn(path: string): string[] {
  let names: string[];
  try {
    names = readdirSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw unreadable(path, error);
  }
  return names.some((name) => /[^\x00-\x7f]/.test(name))
    ? names.sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)))
    : names.sort();
}

function statusOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The file that cannot be read, in words that say how to leave it out. */
export function unreadable(path: string, error: unknown): WharfError {
  return new WharfError('permission-denied', `Cannot read "${path}" of the build context: ${messageOf(error)}`, {
    cause: error,
    hint: 'Leave it out by .dockerignore, or make it readable.',
  });
}
