import type { DiffId } from '@wharf/kit';
import { diffLayer } from '@wharf/oci/layers/diff';
import type { Descriptor } from '@wharf/oci/spec/image';
import { OCI_LAYER_GZIP } from '@wharf/oci/spec/media-types';
import type { Lease } from './collector.ts';
import type { ImageRoom } from './room.ts';

/** An archive without entries is its end marker alone. */
const EMPTY_TAR_BYTES = 1024;

/** A layer made from a container's changes, stored as a blob. */
export interface DiffedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

/** Stores what a snapshot changed on its parent, compressed as dockerd does; `undefined` when it changed nothing. */
export async function storeDiff(room: ImageRoom, lease: Lease, snapshotKey: string): Promise<DiffedLayer | undefined> {
  await using writer = await room.content.writer();
  const { diffId, digest, tarBytes } = await diffLayer({
    snapshots: room.snapshots,
    key: snapshotKey,
    compression: 'gzip',
    write: (chunk) => writer.write(chunk),
  });
  if (tarBytes <= EMPTY_TAR_BYTES) return undefined;
  const { sizeBytes } = await lease.commit(writer, { digest });
  return { descriptor: { mediaType: OCI_LAYER_GZIP, digest, size: sizeBytes }, diffId };
}
