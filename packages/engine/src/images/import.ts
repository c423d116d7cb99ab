import {
  type DiffId,
  type Digest,
  formatCanonical,
  formatFamiliar,
  formatRfc3339Nano,
  type Reference,
} from '@wharf/kit';
import { decompress, peekCompression } from '@wharf/oci/layers/compression';
import { OCI_LAYER } from '@wharf/oci/spec/media-types';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { announce } from './announce.ts';
import { applyChanges } from './changes.ts';
import type { ImagePlatform } from './image-service.ts';
import { storeImage } from './make-image.ts';
import { danglingName } from './names.ts';
import type { ImageRoom } from './room.ts';
import { runtimeConfigOf } from './runtime-config.ts';
import { nameImage } from './tag.ts';

export interface ImportOptions {
  readonly source: AsyncIterable<Uint8Array>;
  readonly reference?: Reference | undefined;
  readonly message: string;
  readonly changes: readonly string[];
  readonly platform?: ImagePlatform | undefined;
}

/**
 * `docker import`: an image with one layer, which is the archive, stored uncompressed. Throws `invalid-argument` for bad
 * changes, `data-loss` for what is no archive; then nothing is left of it.
 */
export async function importImage(room: ImageRoom, options: ImportOptions): Promise<Digest> {
  const config = applyChanges({}, options.changes);
  try {
    using lease = room.collector.lease();
    const { stream, compression } = await peekCompression(options.source);
    await using writer = await room.content.writer();
    for await (const chunk of decompress(stream, compression)) await writer.write(chunk);
    const layer = await lease.commit(writer);
    const created = formatRfc3339Nano(room.clock.nowNs());
    const { target, manifest } = await storeImage(lease, {
      config: {
        created,
        ...(options.platform ?? hostPlatform()),
        config: runtimeConfigOf(config),
        // Stored uncompressed, so the blob's digest is the diff id.
        rootfs: { type: 'layers', diff_ids: [layer.digest as string as DiffId] },
        history: [{ created, comment: options.message }],
      },
      layers: [{ mediaType: OCI_LAYER, digest: layer.digest, size: layer.sizeBytes }],
    });
    await room.unpack(manifest);
    const { reference } = options;
    const image = await nameImage(room, {
      target,
      name: reference === undefined ? danglingName(target.digest) : formatCanonical(reference),
      ...(reference === undefined ? {} : { event: formatFamiliar(reference) }),
    });
    await announce(room, 'import', image, target.digest);
    return target.digest;
  } catch (error) {
    await room.collector.collect();
    throw error;
  }
}
