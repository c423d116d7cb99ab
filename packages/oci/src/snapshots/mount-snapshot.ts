import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { bindMount, mountOverlay } from '@wharf/linux/mount';
import type { Mount } from './snapshotter.ts';

/** Performs what `Snapshotter.mounts` says, at an existing directory. Throws `SystemError`. */
export function mountSnapshot(mounts: readonly Mount[], target: string): void {
  for (const { type, source, options, overlay } of mounts) {
    const readOnly = options.includes('ro');
    if (type === 'bind' || !overlay) {
      bindMount(source, target, { readOnly });
      continue;
    }
    // A volatile mount leaves a mark that forbids the next one, for whoever minds lost writes (filesystems/overlayfs,
    // "Volatile mount"). Such a snapshot is one that nobody keeps.
    if (overlay.workDir !== undefined)
      rmSync(join(overlay.workDir, 'work', 'incompat'), { recursive: true, force: true });
    const extraOptions = options.filter((option) => option !== 'ro' && option !== 'rw');
    mountOverlay({ ...overlay, target, readOnly, extraOptions });
  }
}
