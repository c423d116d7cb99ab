import type { BlobSink } from '@wharf/oci/archive/image-archive';
import type { BlobInfo } from '@wharf/oci/content/content-store';
import type { Lease } from './collector.ts';
import type { ImageRoom } from './room.ts';

/** The content store as an archive's reader sees it: everything it stores or finds is under the lease. */
export function sinkOf(room: ImageRoom, lease: Lease, onStored: (blob: BlobInfo) => void): BlobSink {
  return {
    writer: (algorithm) => room.content.writer({ algorithm }),
    async commit(writer, expected) {
      const info = await lease.commit(writer, expected);
      onStored(info);
      return info;
    },
    put: (bytes) => lease.put(bytes),
    adopt: (digest) => lease.adopt(digest),
    async head(digest, bytes) {
      const parts: Buffer[] = [];
      for await (const chunk of await room.content.open(digest, { start: 0, endExclusive: bytes }))
        parts.push(chunk as Buffer);
      return Buffer.concat(parts);
    },
    read: (digest) => room.content.read(digest),
  };
}
