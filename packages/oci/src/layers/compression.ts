import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { pipe, spawnProcess } from '@wharf/linux/spawn';
import { INFLATE_CHUNK_BYTES } from './limits.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Tells a compression by its magic number; six bytes decide. */
export function detectCompression(head: Uint8Array): Compression {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  // A zstd stream may open with a skippable frame (RFC 8878, 3.1.2).
  if (head[0] !== undefined && (head[0] & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) {
    return 'zstd';
  }
  if (starts(0x42, 0x5a, 0x68)) return 'bzip2';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  return 'none';
}

/** A stream with its first bytes looked at. */
export interface Peeked {
  readonly compression: Compression;
  /** The whole stream, the bytes looked at included. */
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Reads as far as it takes to tell the compression. */
export async function peekCompression(source: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < 6) {
    const next = await iterator.next();
    if (next.done) break;
    head.push(next.value);
    bytes += next.value.byteLength;
  }
  const compression = detectCompression(head.length === 1 && head[0] ? head[0] : Buffer.concat(head));
  const stream = (async function* () {
    try {
      yield* head;
      for (;;) {
        const next = await iterator.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  })();
  return { compression, stream };
}

/**
 * The decompressed bytes. Tools (`bzip2`, `xz`) are started at once, not at the first read. Throws `data-loss` for
 * broken or cut off input, and `not-implemented` when a tool is not installed.
 */
export function decompress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'bzip2' || compression === 'xz') return throughTool(source, compression);
  // Room enough on both sides to inflate on while the last piece is being written to disk.
  const ahead = 8 * INFLATE_CHUNK_BYTES;
  const options = { chunkSize: INFLATE_CHUNK_BYTES, readableHighWaterMark: ahead, writableHighWaterMark: ahead };
  const inflater = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  return inflate(source, inflater, compression);
}

async function* inflate(
  source: AsyncIterable<Uint8Array>,
  inflater: ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sourceError: unknown;
  const guarded = Readable.from(
    (async function* () {
      try {
        yield* source;
      } catch (error) {
        sourceError = error;
        throw error;
      }
    })(),
    { objectMode: false, highWaterMark: INFLATE_CHUNK_BYTES },
  );
  // Not awaited: the source may never send another byte. What fails in it comes out of the inflater.
  pipeline(guarded, inflater).catch(() => undefined);
  try {
    yield* inflater;
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw broken(compression, messageOf(error), error);
  } finally {
    inflater.destroy();
  }
}

/** How a layer is to be compressed. */
export interface CompressionForm {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of gzip 0 to 9, of zstd 1 to 22; the library's own choice when absent. */
  readonly level?: number | undefined;
}

/** A stream that compresses. The same bytes in give the same bytes out. */
export function encoderOf({
  compression,
  level,
}: CompressionForm & { readonly compression: 'gzip' | 'zstd' }):
  | ReturnType<typeof createGzip>
  | ReturnType<typeof createZstdCompress> {
  const options = { chunkSize: INFLATE_CHUNK_BYTES };
  if (compression === 'gzip') return createGzip({ ...options, ...(level === undefined ? {} : { level }) });
  const params = level === undefined ? {} : { [constants.ZSTD_c_compressionLevel]: level };
  return createZstdCompress({ ...options, params });
}

/** The compressed bytes; zlib's threads do the work. */
export async function* compress(
  source: AsyncIterable<Uint8Array>,
  { compression, level }: CompressionForm,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const encoder = encoderOf({ compression, level });
  const readable = Readable.from(source, { objectMode: false });
  // Not awaited: what fails in the source comes out of the encoder.
  pipeline(readable, encoder).catch(() => undefined);
  yield* encoder as AsyncIterable<Uint8Array>;
}

function broken(compression: Compression, what: string, cause?: unknown): WharfError {
  return new WharfError('data-loss', `Cannot decompress ${compression} data: ${what}`, { cause });
}

function throughTool(source: AsyncIterable<Uint8Array>, tool: 'bzip2' | 'xz'): AsyncIterable<Uint8Array> {
  const input = pipe();
  const output = pipe();
  let exited: Promise<{ readonly code: number | null }>;
  try {
    const child = spawnProcess({
      path: `/usr/bin/${tool}`,
      argv: [tool, '-d', '-c'],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      fds: { 0: input.readFd, 1: output.writeFd, 2: -1 },
    });
    ({ exited } = child);
  } catch (error) {
    closeSync(input.writeFd);
    closeSync(output.readFd);
    if (!hasErrno(error, 'ENOENT')) throw error;
    throw new WharfError('not-implemented', `Cannot decompress ${tool} data: the program "${tool}" is not installed`, {
      hint: `Install it: apt-get install ${tool === 'xz' ? 'xz-utils' : 'bzip2'}`,
    });
  } finally {
    closeSync(input.readFd);
    closeSync(output.writeFd);
  }
  return drainTool(
    source,
    tool,
    new Socket({ fd: input.writeFd, readable: false, writable: true }),
    new Socket({ fd: output.readFd, readable: true, writable: false }),
    exited,
  );
}

async function* drainTool(
  source: AsyncIterable<Uint8Array>,
  tool: 'bzip2' | 'xz',
  stdin: Socket,
  stdout: Socket,
  exited: Promise<{ readonly code: number | null }>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let sourceError: unknown;
  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of source) {
        if (!stdin.write(chunk))
          await new Promise<void>((resolve) => stdin.once('drain', resolve).once('close', resolve));
        if (stdin.destroyed) return;
      }
      stdin.end();
    } catch (error) {
      sourceError = error;
      stdin.destroy();
    }
  };
  // A tool that fails closes its end early; its exit code tells.
  stdin.on('error', () => stdin.destroy());
  void feed();
  try {
    yield* stdout as AsyncIterable<Uint8Array>;
    const { code } = await exited;
    if (sourceError !== undefined) throw sourceError;
    if (code !== 0) throw broken(tool, `${tool} ended with status ${code}`);
  } finally {
    stdin.destroy();
    stdout.destroy();
  }
}
