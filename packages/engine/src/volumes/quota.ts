import { dirname } from 'node:path';
import { WharfError } from '@wharf/kit';
import { lacksProjectQuota, projectIdOf, setProjectId, setProjectLimit } from '@wharf/linux/project-quota';
import { QUOTA_UNSUPPORTED } from '@wharf/wire/docker/messages';

/** Ids from here on are volumes'; those of root filesystems begin elsewhere. */
const FIRST_PROJECT = 0x1000_0000;

/**
 * Bounds what an empty directory may hold by a project quota of its own. `siblings` are the directories that may have one
 * already. Throws `failed-precondition` (`quota size requested but no quota support`) where the filesystem keeps none.
 */
export function limitTree(tree: {
  readonly path: string;
  readonly siblings: readonly string[];
  readonly sizeBytes: number;
}): void {
  try {
    const taken = tree.siblings.map(projectOrNone);
    // Volumes of other data roots may lie on the same filesystem: far apart by the inode of their common directory.
    const base = FIRST_PROJECT + (seed(dirname(dirname(tree.path))) << 12);
    let id = base + 1;
    while (taken.includes(id)) id++;
    setProjectId(tree.path, id);
    setProjectLimit(tree.path, id, tree.sizeBytes);
  } catch (cause) {
    if (!lacksProjectQuota(cause)) throw cause;
    throw new WharfError('invalid-argument', QUOTA_UNSUPPORTED, { cause });
  }
}

function projectOrNone(path: string): number {
  try {
    return projectIdOf(path);
  } catch {
    return 0;
  }
}

/** 16 bits that differ from path to path. */
function seed(path: string): number {
  let hash = 0x811c;
  for (const byte of Buffer.from(path)) hash = ((hash ^ byte) * 0x0193) & 0xffff;
  return hash;
}
