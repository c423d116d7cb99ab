import { readFileSync } from 'node:fs';
import { S } from '@wharf/linux/fsx';
import { statusOf } from '@wharf/oci/layers/walk';
import { fsPath } from '@wharf/oci/tar/bytes';
import { resolveInTree } from './resolve-path.ts';

const MAX_DATABASE_BYTES = 8 * 1024 * 1024;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * `user[:group]` in the image at `root`, by its own /etc/passwd and /etc/group. A user without a group gets the group of the same
 * number (Dockerfile reference, "COPY --chown"). A name that is not there is root's, as BuildKit has it.
 */
export function ownerIn(root: string, text: string): Owner | undefined {
  if (text === '') return undefined;
  const [user = '', group] = text.split(':', 2);
  const uid = toId(user) ?? lookUp(root, '/etc/passwd', user) ?? 0;
  const gid =
    group === undefined || group === '' ? groupOf(user, uid) : (toId(group) ?? lookUp(root, '/etc/group', group) ?? 0);
  return { uid, gid };

  function groupOf(name: string, id: number): number {
    return toId(name) ?? rowOf(root, '/etc/passwd', name)?.gid ?? id;
  }
}

function toId(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}

function lookUp(root: string, path: string, name: string): number | undefined {
  return rowOf(root, path, name)?.id;
}

function rowOf(root: string, path: string, name: string): { readonly id: number; readonly gid: number } | undefined {
  const at = root + resolveInTree(root, path);
  const status = statusOf(at);
  if (status === undefined || (status.mode & S.IFMT) !== S.IFREG || status.size > MAX_DATABASE_BYTES) return undefined;
  const row = readFileSync(fsPath(at), 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([key]) => key === name);
  const id = toId(row?.[2] ?? '');
  return id === undefined ? undefined : { id, gid: toId(row?.[3] ?? '') ?? id };
}
