import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler, GrpcMethods } from '@wharf/wire/grpc/server';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import { PIECE_BYTES } from '../limits.ts';
import { writeAll } from './write-all.ts';

const STORE_ID = 'buildkit-attachable-store-id';
const SERVICE = '/containerd.services.content.v1.Content/';

// Field numbers as containerd's content.proto has them.
const Info = message('Info', { 1: ['digest', 'string'], 2: ['size', 'int'], 5: ['labels', { map: 'string' }] });
const DigestRequest = message('InfoRequest', { 1: ['digest', 'string'] });
const InfoResponse = message('InfoResponse', { 1: ['info', Info] });
const UpdateRequest = message('UpdateRequest', { 1: ['info', Info] });
const ReadRequest = message('ReadContentRequest', {
  1: ['digest', 'string'],
  2: ['offset', 'int'],
  3: ['size', 'int'],
});
const ReadResponse = message('ReadContentResponse', { 1: ['offset', 'int'], 2: ['data', 'bytes'] });
const RefRequest = message('StatusRequest', { 1: ['ref', 'string'] });
const WriteRequest = message('WriteContentRequest', {
  1: ['action', 'int'],
  2: ['ref', 'string'],
  3: ['total', 'int'],
  4: ['expected', 'string'],
  5: ['offset', 'int'],
  6: ['data', 'bytes'],
});
const WriteResponse = message('WriteContentResponse', {
  ...{ 1: ['action', 'int'], 4: ['offset', 'int'], 5: ['total', 'int'], 6: ['digest', 'string'] },
});
const ACTION = { STAT: 0, WRITE: 1, COMMIT: 2 };

interface WriteMessage {
  readonly action: number;
  readonly ref: string;
  readonly total: number;
  readonly expected: string;
  readonly offset: number;
  readonly data: Uint8Array;
}

/**
 * Image layouts of the client in which the daemon reads and writes blobs (containerd's content service on the session): caches in
 * directories, contexts and results that are layouts. `stores` are their directories, by the name the daemon asks with.
 */
export function contentMethods(stores: ReadonlyMap<string, string>): GrpcMethods {
  const rootOf = (call: GrpcCall): string => {
    const id = call.metadata.get(STORE_ID)?.[0] ?? '';
    const root = stores.get(id);
    if (root === undefined) throw new GrpcError(GRPC.NOT_FOUND, `unknown content store ${id}`);
    return root;
  };
  const method = (name: string, handler: (call: GrpcCall, root: string) => Promise<void>) =>
    [`${SERVICE}${name}`, (call: GrpcCall) => handler(call, rootOf(call))] as const satisfies [string, GrpcHandler];
  return new Map([
    method('Info', async (call, root) => {
      const { digest } = decode<{ readonly digest: string }>(DigestRequest, await first(call));
      await call.send(encode(InfoResponse, { info: { digest, size: sizeOf(root, digest) } }));
    }),
    // Labels are containerd's own; there is no place for them in a layout.
    method('Update', async (call) => {
      const { info } = decode<{ readonly info?: object }>(UpdateRequest, await first(call));
      await call.send(encode(InfoResponse, { info: info ?? {} }));
    }),
    method('Read', read),
    method('Write', write),
    method('Status', async (call) => {
      const { ref } = decode<{ readonly ref: string }>(RefRequest, await first(call));
      throw new GrpcError(GRPC.NOT_FOUND, `${ref}: not found`);
    }),
    method('Abort', async (call) => {
      await first(call);
      await call.send(Buffer.alloc(0));
    }),
  ]);
}

async function read(call: GrpcCall, root: string): Promise<void> {
  const { digest, offset, size } = decode<{ readonly digest: string; readonly offset: number; readonly size: number }>(
    ReadRequest,
    await first(call),
  );
  const end = size > 0 ? Math.min(sizeOf(root, digest), offset + size) : sizeOf(root, digest);
  const fd = openSync(blobPath(root, digest), 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let at = offset; at < end; ) {
      const length = readSync(fd, buffer, 0, Math.min(PIECE_BYTES, end - at), at);
      if (length === 0) break;
      await call.send(encode(ReadResponse, { offset: at, data: buffer.subarray(0, length) }));
      at += length;
    }
  } finally {
    closeSync(fd);
  }
}

/** One blob: STAT asks how far it is, WRITE brings pieces in order, COMMIT ends it, and it is kept when its digest is right. */
async function write(call: GrpcCall, root: string): Promise<void> {
  const ingest = join(root, 'ingest');
  mkdirSync(ingest, { recursive: true });
  const temporary = join(ingest, createHash('sha256').update(`${process.pid} ${Math.random()}`).digest('hex'));
  const fd = openSync(temporary, 'wx', 0o644);
  const hash = createHash('sha256');
  let offset = 0;
  let isDone = false;
  try {
    for await (const bytes of call.messages) {
      const request = decode<WriteMessage>(WriteRequest, bytes);
      if (offset === 0 && request.expected !== '' && exists(root, request.expected)) {
        throw new GrpcError(GRPC.ALREADY_EXISTS, `content ${request.expected}: already exists`);
      }
      if (request.data.length > 0) {
        if (request.offset !== offset) {
          throw new GrpcError(GRPC.INVALID_ARGUMENT, `write of ${request.ref} at ${request.offset}, not at ${offset}`);
        }
        writeAll(fd, request.data);
        hash.update(request.data);
        offset += request.data.length;
      }
      const digest = request.action === ACTION.COMMIT ? `sha256:${hash.copy().digest('hex')}` : '';
      if (request.action === ACTION.COMMIT) {
        if (request.expected !== '' && request.expected !== digest) {
          throw new GrpcError(
            GRPC.FAILED_PRECONDITION,
            `unexpected commit digest ${digest}, expected ${request.expected}`,
          );
        }
        if (request.total > 0 && request.total !== offset) {
          throw new GrpcError(GRPC.FAILED_PRECONDITION, `unexpected commit size ${offset}, expected ${request.total}`);
        }
        fsyncSync(fd);
        mkdirSync(join(root, 'blobs', 'sha256'), { recursive: true });
        renameSync(temporary, blobPath(root, digest));
        isDone = true;
      }
      await call.send(encode(WriteResponse, { action: request.action, offset, total: request.total, digest }));
    }
  } finally {
    closeSync(fd);
    if (!isDone) rmSync(temporary, { force: true });
  }
}

function blobPath(root: string, digest: string): string {
  const match = /^sha256:([0-9a-f]{64})$/.exec(digest);
  if (match === null) throw new GrpcError(GRPC.INVALID_ARGUMENT, `invalid digest "${digest}"`);
  return join(root, 'blobs', 'sha256', match[1] ?? '');
}

function exists(root: string, digest: string): boolean {
  return statSync(blobPath(root, digest), { throwIfNoEntry: false }) !== undefined;
}

function sizeOf(root: string, digest: string): number {
  const status = statSync(blobPath(root, digest), { throwIfNoEntry: false });
  if (status === undefined) throw new GrpcError(GRPC.NOT_FOUND, `content ${digest}: not found`);
  return status.size;
}

async function first(call: GrpcCall): Promise<Buffer> {
  for await (const bytes of call.messages) return bytes;
  throw new GrpcError(GRPC.INVALID_ARGUMENT, 'the call came without a message');
}
