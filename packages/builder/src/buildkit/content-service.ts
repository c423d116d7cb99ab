import { type Digest, parseDigest, WharfError } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler } from '@wharf/wire/grpc/server';
import * as pb from './history-messages.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * The reading half of containerd's content service, on the connection of a build's client: what the history refers to, and the
 * manifests and indexes of images. Blobs are found in the first of the stores that has them.
 */
export function contentMethods(stores: () => readonly ContentStore[]): readonly (readonly [string, GrpcHandler])[] {
  const service = '/containerd.services.content.v1.Content/';
  return [
    [`${service}Info`, (call) => info(stores(), call)],
    [`${service}Read`, (call) => read(stores(), call)],
  ];
}

async function info(stores: readonly ContentStore[], call: GrpcCall): Promise<void> {
  const { digest } = decode<{ readonly digest: string }>(pb.ContentInfoRequest, await first(call));
  const { sizeBytes } = await find(stores, parseDigest(digest));
  await call.send(encode(pb.ContentInfoResponse, { info: { digest, size: sizeBytes } }));
}

async function read(stores: readonly ContentStore[], call: GrpcCall): Promise<void> {
  const request = decode<{ readonly digest: string; readonly offset: number; readonly size: number }>(
    pb.ReadContentRequest,
    await first(call),
  );
  const digest = parseDigest(request.digest);
  const { store, sizeBytes } = await find(stores, digest);
  const start = request.offset;
  const endExclusive = request.size > 0 ? Math.min(sizeBytes, start + request.size) : sizeBytes;
  if (start < 0 || start > sizeBytes) {
    throw new WharfError('invalid-argument', `Cannot read ${digest} from byte ${start}: it has ${sizeBytes} bytes`);
  }
  if (start === endExclusive) return;
  let offset = start;
  for await (const chunk of (await store.open(digest, { start, endExclusive })) as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const data = chunk.subarray(at, at + PIECE_BYTES);
      await call.send(encode(pb.ReadContentResponse, { offset, data }));
      offset += data.length;
    }
  }
}

async function find(
  stores: readonly ContentStore[],
  digest: Digest,
): Promise<{ readonly store: ContentStore; readonly sizeBytes: number }> {
  for (const store of stores) {
    const found = await store.stat(digest);
    if (found !== undefined) return { store, sizeBytes: found.sizeBytes };
  }
  throw new WharfError('not-found', `content ${digest}: not found`);
}

async function first(call: GrpcCall): Promise<Buffer> {
  for await (const message of call.messages) return message;
  throw new WharfError('invalid-argument', 'Cannot read content: the call has no message');
}
