import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf } from '@wharf/kit';
import { lsetxattr } from '@wharf/linux/fsx';
import { mountOverlay, unmount } from '@wharf/linux/mount';
import { OPAQUE_XATTR } from '../layers/whiteout.ts';
import { OVERLAY_OPTIONS } from './overlay-mounts.ts';

/** Tries overlayfs on the file system that `root` is on. Returns why it cannot be used, `undefined` when it can. */
export function whyNoOverlay(root: string): string | undefined {
  let directory: string;
  try {
    directory = mkdtempSync(join(root, 'probe-'));
  } catch (error) {
    if (isFull(error)) return undefined;
    throw error;
  }
  const [lower, upper, work, merged] = ['l', 'u', 'w', 'm'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
    string,
  ];
  try {
    for (const path of [lower, upper, work, merged, join(lower, 'd'), join(upper, 'd')]) mkdirSync(path);
    writeFileSync(join(lower, 'd', 'hidden'), '');
    writeFileSync(join(lower, 'deleted'), '');
    lsetxattr(join(upper, 'd'), OPAQUE_XATTR, Buffer.from('y'));
    mountOverlay({ lowerDirs: [lower], upperDir: upper, workDir: work, target: merged, extraOptions: OVERLAY_OPTIONS });
    try {
      if (lstatSync(join(merged, 'd', 'hidden'), { throwIfNoEntry: false })) return 'opaque directories do not work';
      rmSync(join(merged, 'deleted'));
      const whiteout = lstatSync(join(upper, 'deleted'), { throwIfNoEntry: false });
      if (!whiteout?.isCharacterDevice() || whiteout.rdev !== 0) return 'whiteouts are not 0/0 devices';
      return undefined;
    } finally {
      unmount(merged, { detach: true });
    }
  } catch (error) {
    return isFull(error) ? undefined : messageOf(error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A full disk says nothing about overlayfs, and must not keep a daemon from starting. */
function isFull(error: unknown): boolean {
  return hasErrno(error, 'ENOSPC', 'EDQUOT');
}
