import { lstatSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { lacksProjectQuota, setProjectId, setProjectLimit } from '@wharf/linux/project-quota';

/** Ids from here on are snapshots'; those of volumes begin elsewhere. */
const FIRST_PROJECT = 0x2000_0000;

/**
 * Bounds an empty snapshot directory by a project quota. Throws `invalid-argument` where the filesystem keeps none.
 */
export function limitSize(snapshot: {
  readonly root: string;
  readonly directory: string;
  readonly number: number;
  readonly sizeBytes: number;
}): void {
  try {
    // Snapshots of other data roots on the same filesystem have numbers too: theirs begin elsewhere.
    const base = FIRST_PROJECT + ((lstatSync(snapshot.root).ino & 0xff) << 20);
    const projectId = base + (snapshot.number & 0xfffff);
    setProjectId(snapshot.directory, projectId);
    setProjectLimit(snapshot.directory, projectId, snapshot.sizeBytes);
  } catch (cause) {
    if (!lacksProjectQuota(cause)) throw cause;
    const message =
      "--storage-opt size is supported only on xfs and ext4 with project quotas (mount option 'prjquota')";
    throw new WharfError('invalid-argument', message, { cause });
  }
}
