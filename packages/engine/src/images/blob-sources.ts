import { canonicalName, type Digest, type Reference } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import { BLOB_SOURCES } from './limits.ts';
import type { ImageRoom } from './room.ts';

/** The repositories a blob is known to lie in (`registry/path`), the latest last. */
export function sourcesOf(room: ImageRoom, digest: Digest): readonly string[] {
  return room.sources.get(digest) ?? [];
}

/** Notes that all content of an image that is here also lies in that repository, so that a push elsewhere can mount it. */
export async function rememberSources(room: ImageRoom, reference: Reference, target: Descriptor): Promise<void> {
  const name = canonicalName(reference);
  const present = await room.documents.present(target);
  room.names.transaction(() => {
    for (const { digest } of present) {
      const known = room.sources.get(digest) ?? [];
      if (known.at(-1) === name) continue;
      room.sources.put(digest, [...known.filter((each) => each !== name), name].slice(-BLOB_SOURCES));
    }
  });
}
