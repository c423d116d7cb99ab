import { posix } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import type { FileStatus } from '@wharf/linux/fsx';
import { isDirectory } from '@wharf/oci/layers/walk';
import { type ByteString, toBytes, toText } from '@wharf/oci/tar/bytes';
import type { CopyAction } from '../plan/vertex.ts';
import { Pattern } from './pattern.ts';
import { PatternList } from './pattern-list.ts';
import { resolveInTree } from './resolve-path.ts';
import { type TreeView, walkView } from './tree-view.ts';

/** What of a source one COPY takes. */
export interface Selection {
  /** The source's own name, for a destination that is a directory. */
  readonly name: ByteString;
  readonly isDirectory: boolean;
  readonly entries: readonly SelectedEntry[];
}

export interface SelectedEntry {
  /** Where it lies now. */
  readonly path: ByteString;
  /** Below the destination; `''` for the source itself. */
  readonly name: ByteString;
  readonly status: FileStatus;
  /** A directory that is there only for what is below it. */
  readonly implied: boolean;
}

type Selector = Pick<CopyAction, 'path' | 'wildcards' | 'followLinks' | 'include' | 'exclude' | 'required'>;

/**
 * What an action takes from the tree at `root` of a view, one selection for every source that its pattern names. Names are sorted, so that the
 * same tree always gives the same list. Throws `not-found` in BuildKit's words for a source that is not there.
 */
export function select(view: TreeView, root: ByteString, selector: Selector): readonly Selection[] {
  for (const path of selector.required) {
    if (view.status(root + resolveInTree(root, toBytes(path), true, view)) === undefined) throw missing(path);
  }
  const include = selector.include.length === 0 ? undefined : new PatternList(selector.include);
  const exclude = new PatternList(selector.exclude);
  return sourcesOf(view, root, selector).map((source) => {
    const found = resolveInTree(root, source, selector.followLinks, view);
    const at = found === '/' ? root : root + found;
    return selection(view, at, source, include, exclude);
  });
}

function sourcesOf(view: TreeView, root: ByteString, { path, wildcards }: Selector): readonly ByteString[] {
  const parts = toBytes(path)
    .split('/')
    .filter((part) => part !== '');
  if (!wildcards || !parts.some((part) => /[*?[\\]/.test(part))) return [`/${parts.join('/')}`];
  let found: ByteString[] = [''];
  for (const part of parts) {
    const pattern = new Pattern(part, { doubleStars: false });
    found = found.flatMap((directory) => {
      const inside = resolveInTree(root, directory, true, view);
      const at = inside === '/' ? root : root + inside;
      const status = view.status(at);
      if (status === undefined || !isDirectory(status)) return [];
      return view
        .names(at)
        .filter((name) => pattern.matches(name))
        .map((name) => `${directory}/${name}`);
    });
  }
  return found;
}

function selection(
  view: TreeView,
  at: ByteString,
  source: ByteString,
  include: PatternList | undefined,
  exclude: PatternList,
): Selection {
  const status = view.status(at);
  if (status === undefined) throw missing(toText(source));
  const name = posix.basename(source);
  if (!isDirectory(status)) {
    const isOut = exclude.matches(name) || include?.matches(name) === false;
    return { name, isDirectory: false, entries: isOut ? [] : [{ path: at, name: '', status, implied: false }] };
  }
  return { name, isDirectory: true, entries: entriesOf(view, at, include, exclude) };
}

function entriesOf(
  view: TreeView,
  root: ByteString,
  include: PatternList | undefined,
  exclude: PatternList,
): readonly SelectedEntry[] {
  const entries: SelectedEntry[] = [];
  const waiting: SelectedEntry[] = [];
  for (const { path, name, status } of walkTree(view, root)) {
    while (waiting.length > 0 && !isBelow(name, waiting.at(-1)?.name ?? '')) waiting.pop();
    const isOut = name !== '' && (exclude.matches(name) || include?.matches(name) === false);
    if (isOut || (name === '' && include !== undefined)) {
      // It may hold something that is wanted, and then it has to be there itself.
      if (isDirectory(status)) waiting.push({ path, name, status, implied: true });
      continue;
    }
    entries.push(...waiting.splice(0), { path, name, status, implied: false });
  }
  return entries;
}

function isBelow(name: ByteString, directory: ByteString): boolean {
  return directory === '' || name.startsWith(`${directory}/`);
}

function* walkTree(view: TreeView, root: ByteString) {
  try {
    yield* walkView(view, root);
  } catch (error) {
    if (hasErrno(error, 'EACCES', 'EIO')) {
      throw new WharfError('internal', `Cannot read the source: ${error instanceof Error ? error.message : ''}`);
    }
    throw error;
  }
}

function missing(path: string): WharfError {
  // Clients look for these words; what BuildKit calls a reference has no name here.
  const text = `failed to compute cache key: failed to calculate checksum of ref source: "${path}": not found`;
  return new WharfError('not-found', text);
}
