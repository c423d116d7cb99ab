import { readFileSync } from 'node:fs';
import { S } from '@wharf/linux/fsx';
import { fsPath } from '@wharf/oci/tar/bytes';
import { resolveInTree } from './resolve-path.ts';
import type { TargetTree } from './target-tree.ts';

const MAX_DATABASE_BYTES = 8 * 1024 * 1024;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `user[:group]` in the tree of an image, by its own /etc/passwd and /etc/group. A user without a group gets the group of the same
 * number (Dockerfile reference, "COPY --chown"). A name that is not there is root's, as BuildKit has it.
 */
export function ownerIn(tree: TargetTree, text: string): Owner | undefined {
  if (text === '') return undefined;
  const [user = '', group] = text.split(':', 2);
  const uid = toId(user) ?? lookUp(tree, '/etc/passwd', user) ?? 0;
  const gid =
    group === undefined || group === '' ? groupOf(user, uid) : (toId(group) ?? lookUp(tree, '/etc/group', group) ?? 0);
  return { uid, gid };

  function groupOf(name: string, id: number): number {
    return toId(name) ?? rowOf(tree, '/etc/passwd', name)?.gid ?? id;
  }
}

function toId(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}

function lookUp(tree: TargetTree, path: string, name: string): number | undefined {
  return rowOf(tree, path, name)?.id;
}

function rowOf(
  tree: TargetTree,
  path: string,
  name: string,
): { readonly id: number; readonly gid: number } | undefined {
  const at = tree.root + resolveInTree(tree.root, path, true, tree);
  const status = tree.status(at);
  if (status === undefined || (status.mode & S.IFMT) !== S.IFREG || status.size > MAX_DATABASE_BYTES) return undefined;
  const row = readFileSync(fsPath(tree.locate(at)), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([key]) => key === name);
  const id = toId(row?.[2] ?? '');
  return id === undefined ? undefined : { id, gid: toId(row?.[3] ?? '') ?? id };
}
