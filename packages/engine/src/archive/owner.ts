import { readFileSync, statSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { MAX_USER_DATABASE_BYTES } from './limits.ts';

/**
 * The ids of a container's `Config.User` (`user`, `uid`, `user:group`, …), looked up in the files of the root this thread is
 * in. An unknown number stands for itself, with group 0. Throws `invalid-argument` for an unknown name.
 */
export function lookUpOwner(user: string): { readonly uid: number; readonly gid: number } | undefined {
  if (user === '') return undefined;
  const [name = '', group = ''] = user.split(':', 2);
  let uid = 0;
  let gid = 0;
  if (name !== '') {
    const row = findRow('/etc/passwd', name, 2);
    const number = toId(name);
    if (!row && number === undefined) {
      throw new WharfError(
        'invalid-argument',
        `failed to look up user "${name}" in container: no matching entries in passwd file`,
      );
    }
    uid = toId(row?.[2] ?? '') ?? number ?? 0;
    gid = toId(row?.[3] ?? '') ?? 0;
  }
  if (group !== '') {
    const id = toId(group) ?? toId(findRow('/etc/group', group, 2)?.[2] ?? '');
    if (id === undefined) {
      throw new WharfError(
        'invalid-argument',
        `failed to look up group "${group}" in container: no matching entries in group file`,
      );
    }
    gid = id;
  }
  return { uid, gid };
}

function toId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= 0x7fffffff ? id : undefined;
}

/** The row whose name, or whose number in column `numberAt`, is `key`. */
function findRow(path: string, key: string, numberAt: number): string[] | undefined {
  try {
    const status = statSync(path);
    if (!status.isFile() || status.size > MAX_USER_DATABASE_BYTES) return undefined;
    const column = toId(key) === undefined ? 0 : numberAt;
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find((row) => row[column] === key);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
