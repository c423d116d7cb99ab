import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { MOUNT_POINT_PLACEHOLDERS } from '@wharf/oci/layers/diff';
import { statusOf } from '@wharf/oci/layers/walk';
import { fsPath, toBytes } from '@wharf/oci/tar/bytes';
import { resolveInTree } from '../files/resolve-path.ts';
import type { StepMount } from '../plan/vertex.ts';

/**
 * Notes which places that things are about to be mounted at are not there yet. Disposal takes away those that the runtime made and
 * that nothing was put into: a layer holds what its command did. Call it while nobody runs in the tree.
 */
export function mountPoints(root: string, mounts: readonly StepMount[]): Disposable {
  const places = [...MOUNT_POINT_PLACEHOLDERS, ...mounts.flatMap(({ target }) => withParents(target))];
  const absent = [...new Set(places)].filter(
    (place) => statusOf(root + resolveInTree(root, toBytes(place))) === undefined,
  );
  return {
    [Symbol.dispose]() {
      // The innermost first.
      for (const place of absent.toSorted((left, right) => right.length - left.length)) removeEmpty(root, place);
    },
  };
}

function removeEmpty(root: string, place: string): void {
  const path = fsPath(root + resolveInTree(root, toBytes(place), false));
  try {
    const status = lstatSync(path);
    if (status.isDirectory()) rmdirSync(path);
    else if (status.isFile() && status.size === 0) unlinkSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
}

function withParents(target: string): readonly string[] {
  const parts = target.split('/').filter((part) => part !== '');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
