import type { DiffId } from '@wharf/kit';
import { WharfError } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import type { Lease } from './collector.ts';
import type { ImageRoom } from './room.ts';

export interface DiffedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
}

export async function storeDiff(
  _room: ImageRoom,
  _lease: Lease,
  _snapshotKey: string,
): Promise<DiffedLayer | undefined> {
  throw new WharfError('not-implemented', 'commit');
}
