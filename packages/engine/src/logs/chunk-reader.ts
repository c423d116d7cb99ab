import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { MAX_RECORD_BYTES, READ_CHUNK_BYTES } from './limits.ts';

const NEWLINE = 0x0a;

export interface ChunkSource {
  readonly handle: FileHandle;
  readonly compressed: boolean;
  /** Where to begin; 0 for compressed files. */
  readonly offset: number;
  /** Where to stop; undefined to go on as the file grows. */
  readonly end: number | undefined;
  /** Added to offsets to make positions over all files. */
  readonly base: number;
}

export interface Chunk {
  /** Whole lines; valid until the next call of `next`. */
  readonly data: Buffer;
  readonly position: number;
}

interface OpenSource {
  read(target: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

function openPlain(source: ChunkSource): OpenSource {
  let offset = source.offset;
  return {
    async read(target, at) {
      const room = target.length - at;
      const wanted = source.end === undefined ? room : Math.min(room, source.end - offset);
      if (wanted <= 0) return 0;
      const { bytesRead } = await source.handle.read(target, at, wanted, offset);
      offset += bytesRead;
      return bytesRead;
    },
    close: () => source.handle.close(),
  };
}

function openCompressed(source: ChunkSource): OpenSource {
  const gunzip = createGunzip({ chunkSize: READ_CHUNK_BYTES });
  const file = createReadStream('', { fd: source.handle, highWaterMark: READ_CHUNK_BYTES });
  file.on('error', (error) => gunzip.destroy(error));
  const pieces = file.pipe(gunzip)[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  return {
    async read(target, at) {
      if (rest.length === 0) {
        const { value, done } = await pieces.next();
        if (done === true) return 0;
        rest = value as Buffer;
      }
      const size = rest.copy(target, at);
      rest = rest.subarray(size);
      return size;
    },
    async close() {
      gunzip.destroy();
      file.destroy();
    },
  };
}

/** Reads files one after the other in chunks of whole lines. Owns the handles it is given. */
export class ChunkReader {
  readonly #sources: ChunkSource[];
  #current: OpenSource | undefined;
  #buffer = Buffer.allocUnsafeSlow(READ_CHUNK_BYTES);
  /** The bytes of the buffer that have not been handed out: `[#from, #to)`. */
  #from = 0;
  #to = 0;
  #position = 0;

  constructor(sources: readonly ChunkSource[]) {
    this.#sources = [...sources];
  }

  /** One more file after those known: the last one is complete. */
  add(source: ChunkSource): void {
    this.#sources.push(source);
  }

  /** No file known waits behind the one that is read. */
  get isAtLast(): boolean {
    return this.#sources.length <= 1;
  }

  /** The next lines, or undefined when there are none (yet). */
  async next(): Promise<Chunk | undefined> {
    for (;;) {
      const source = this.#sources[0];
      if (!source) return undefined;
      if (!this.#current) {
        this.#current = source.compressed ? openCompressed(source) : openPlain(source);
        this.#position = source.base + source.offset;
      }
      this.#makeRoom();
      // Asked before the read: only then is an empty read the end of a file that is known to be complete.
      const complete = this.#sources.length > 1 || source.end !== undefined;
      const size = await this.#current.read(this.#buffer, this.#to);
      if (size > 0) {
        const chunk = this.#lines(size);
        if (chunk) return chunk;
      } else if (complete) {
        await this.#leaveSource();
      } else if (this.#sources.length === 1) {
        return undefined;
      }
    }
  }

  async close(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    const unopened = this.#sources.splice(0).slice(current ? 1 : 0);
    for (const { handle } of unopened) await handle.close();
    await current?.close();
  }

  #makeRoom(): void {
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#to < this.#buffer.length) return;
    if (this.#buffer.length >= MAX_RECORD_BYTES) {
      // No line is that long: pass over it.
      this.#position += this.#to;
      this.#to = 0;
      return;
    }
    const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2);
    this.#buffer.copy(larger);
    this.#buffer = larger;
  }

  #lines(size: number): Chunk | undefined {
    const before = this.#to;
    this.#to += size;
    const last = this.#buffer.subarray(before, this.#to).lastIndexOf(NEWLINE);
    if (last < 0) return undefined;
    const end = before + last + 1;
    const chunk = { data: this.#buffer.subarray(0, end), position: this.#position };
    this.#from = end;
    this.#position += end;
    return chunk;
  }

  async #leaveSource(): Promise<void> {
    await this.#current?.close();
    this.#current = undefined;
    this.#sources.shift();
    this.#from = 0;
    this.#to = 0;
  }
}
