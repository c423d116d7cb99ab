import type { BlobSink } from '@wharf/oci/archive/image-archive';
import type { Lease } from './collector.ts';
import type { ImageRoom } from './room.ts';

/** The content store as an archive's reader sees it: everything it stores or finds is under the lease. */
export function sinkOf(room: ImageRoom, lease: Lease): BlobSink {
  return {
    writer: (algorithm) => room.content.writer({ algorithm }),
    commit: (writer, expected) => lease.commit(writer, expected),
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
