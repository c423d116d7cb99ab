import type { FileHandle } from 'node:fs/promises';
import type { BlobSource } from './storage.ts';

/** Reads a file that is still being written. */
export class GrowingSource implements BlobSource {
  readonly #file: FileHandle;
  readonly #end: number;
  readonly #writtenBeyond: (position: number) => Promise<number>;
  #position: number;

  /** `writtenBeyond` resolves, when there is more than `position` bytes, with how many there are; it throws when there never will be. */
  constructor(
    file: FileHandle,
    start: number,
    endExclusive: number,
    writtenBeyond: (position: number) => Promise<number>,
  ) {
    this.#file = file;
    this.#position = start;
    this.#end = endExclusive;
    this.#writtenBeyond = writtenBeyond;
  }

  async read(into: Uint8Array): Promise<number> {
    if (this.#position >= this.#end) return 0;
    const there = Math.min(await this.#writtenBeyond(this.#position), this.#end);
    const { bytesRead } = await this.#file.read(into, 0, Math.min(into.length, there - this.#position), this.#position);
    this.#position += bytesRead;
    return bytesRead;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
