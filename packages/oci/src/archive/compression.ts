import { PassThrough, pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { messageOf, WharfError } from '@wharf/kit';
import { decompressWithTool } from './decompress-tool.ts';
import { DECOMPRESS_CHUNK_BYTES } from './limits.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** How many bytes `detectCompression` wants to see. */
export const MAGIC_BYTES = 6;

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];

/** Tells the compression by the first bytes. A zstd stream may begin with a skippable frame (RFC 8878, 3.1.2). */
export function detectCompression(head: Uint8Array): Compression {
  for (const [name, magic] of magics) {
    if (magic.every((byte, index) => head[index] === byte)) return name;
  }
  const skippable =
    head[0] !== undefined && (head[0] & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return skippable ? 'zstd' : 'none';
}

/**
 * Reads the first bytes of a stream and hands back the whole of it: `head` (up to `MAGIC_BYTES` or more) and `all`, which
 * begins with the same bytes.
 */
export async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly all: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let bytes = 0;
  let done = false;
  while (bytes < MAGIC_BYTES && !done) {
    const next = await iterator.next();
    if (next.done === true) {
      done = true;
    } else {
      first.push(asBuffer(next.value));
      bytes += next.value.length;
    }
  }
  return { head: first.length === 1 && first[0] ? first[0] : Buffer.concat(first), all: rejoin(first, iterator, done) };
}

async function* rejoin(
  first: readonly Buffer[],
  iterator: AsyncIterator<Uint8Array>,
  done: boolean,
): AsyncGenerator<Buffer> {
  try {
    yield* first;
    if (done) return;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield asBuffer(next.value);
  } finally {
    await iterator.return?.();
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Undoes whatever compression the stream has. Throws `data-loss` while reading a broken stream; errors of the source pass
 * through as they are.
 */
export async function decompress(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: Compression; readonly stream: AsyncIterable<Buffer> }> {
  const { head, all } = await peek(source);
  const compression = detectCompression(head);
  switch (compression) {
    case 'none':
      return { compression, stream: all };
    case 'gzip':
      return { compression, stream: through(all, createGunzip({ chunkSize: DECOMPRESS_CHUNK_BYTES }), compression) };
    case 'zstd':
      return {
        compression,
        stream: through(all, createZstdDecompress({ chunkSize: DECOMPRESS_CHUNK_BYTES }), compression),
      };
    default:
      return { compression, stream: decompressWithTool(all, compression) };
  }
}

async function* through(
  source: AsyncIterable<Buffer>,
  transform: Transform,
  compression: Compression,
): AsyncGenerator<Buffer> {
  let sourceError: unknown;
  const guarded = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* source;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  };
  const output = new PassThrough({ highWaterMark: 4 * DECOMPRESS_CHUNK_BYTES });
  pipeline(
    Readable.from(guarded(), { objectMode: false, highWaterMark: DECOMPRESS_CHUNK_BYTES }),
    transform,
    output,
    () => undefined,
  );
  try {
    for await (const chunk of output) yield chunk;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw new WharfError('data-loss', `Cannot decompress ${compression} stream: ${messageOf(error)}`, { cause: error });
  }
}
