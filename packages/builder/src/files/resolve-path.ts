import { WharfError } from '@wharf/kit';
import { S } from '@wharf/linux/fsx';
import { type ByteString, toText } from '@wharf/oci/tar/bytes';
import { fileSystem, type TreeView } from './tree-view.ts';

const MAX_LINKS = 255;

/**
 * Where a path leads inside of a tree at `root`, every symlink followed as if the tree were the whole system: absolute targets
 * begin at its root and `..` stops there. Parts that do not exist stay as they are. Returns the path below `root`, with a leading
 * slash; the last part is followed only when `followLast`. For trees that nobody changes meanwhile.
 */
export function resolveInTree(
  root: ByteString,
  path: ByteString,
  followLast = true,
  view: TreeView = fileSystem,
): ByteString {
  const todo = partsOf(path).reverse();
  const done: string[] = [];
  for (let links = 0; ; ) {
    const part = todo.pop();
    if (part === undefined) return `/${done.join('/')}`;
    if (part === '..') {
      done.pop();
      continue;
    }
    const at = `${root}/${[...done, part].join('/')}`;
    const status = todo.length > 0 || followLast ? view.status(at) : undefined;
    if (status === undefined || (status.mode & S.IFMT) !== S.IFLNK) {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) {
      throw new WharfError('invalid-argument', `Cannot follow "${toText(path)}": too many levels of symbolic links`);
    }
    const target = view.readLink(at);
    if (target.startsWith('/')) done.length = 0;
    todo.push(...partsOf(target).reverse());
  }
}

function partsOf(path: ByteString): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
