import { statSync } from 'node:fs';
import { toText } from '@wharf/oci/tar/bytes';
import { Pattern } from '../files/pattern.ts';
import { PatternList } from '../files/pattern-list.ts';
import { MAX_COMPARED_INDEX_BYTES } from '../limits.ts';
import type { CopyAction } from '../plan/vertex.ts';
import { type IndexEntry, readIndex } from '../sources/context-index.ts';

/** Files of a context, as its indexes have them, that a copy selects and that are not what they were: changed, new or gone. */
export function changedFiles(beforePath: string, nowPath: string, action: CopyAction): readonly string[] | undefined {
  if (isTooLong(beforePath) || isTooLong(nowPath)) return undefined;
  const before = readIndex(beforePath);
  const now = readIndex(nowPath);
  if (before === undefined || now === undefined) return undefined;
  const isSelected = selection(action);
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names]
    .filter((name) => !isSame(before.get(name), now.get(name)) && isSelected(toText(name)))
    .map((name) => toText(name))
    .sort();
}

/** A list of very many files would hold everybody else up. */
function isTooLong(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_COMPARED_INDEX_BYTES;
}

/** Times do not count, and of a directory what is in it counts by itself. */
function isSame(before: IndexEntry | undefined, now: IndexEntry | undefined): boolean {
  if (before === undefined || now === undefined) return false;
  return before.mode === now.mode && before.link === now.link && before.digest === now.digest;
}

function selection({ path, wildcards, include, exclude }: CopyAction): (name: string) => boolean {
  const wanted = path.replace(/^\/+|\/+$/g, '');
  const pattern = wildcards ? new Pattern(wanted) : undefined;
  const included = include.length > 0 ? new PatternList(include) : undefined;
  const excluded = exclude.length > 0 ? new PatternList(exclude) : undefined;
  return (name) => {
    const parts = name.split('/');
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const isIn =
      wanted === '' ||
      wanted === '.' ||
      above.some((each) => (pattern === undefined ? each === wanted : pattern.matches(each)));
    return isIn && included?.matches(name) !== false && excluded?.matches(name) !== true;
  };
}
