import { Packer } from '@wharf/oci/layers/packer';
import { walk } from '@wharf/oci/layers/walk';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inPlaces, sourceRoot } from './places.ts';

export interface CacheArchiveParams {
  readonly directory: string;
}

/** Writes a directory as an archive, itself included, so that its owner and mode come along. */
export function archiveCacheJob({ directory }: CacheArchiveParams, io: JobIo): Promise<void> {
  return inPlaces([{ directory }], undefined, async () => {
    const packer = new Packer({ wholeSeconds: false });
    for (const { path, name, status } of walk(sourceRoot(0))) {
      io.signal.throwIfAborted();
      for (const chunk of packer.addFile(path, name === '' ? '.' : name, status)) await io.write(chunk);
    }
    for (const chunk of packer.end()) await io.write(chunk);
  });
}
