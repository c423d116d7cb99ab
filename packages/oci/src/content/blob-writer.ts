import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, rename, rm, stat } from 'node:fs/promises';
import { type Digest, hasErrno, messageOf, parseDigest, WharfError } from '@wharf/kit';
import type { BlobInfo, BlobWriter } from './content-store.ts';
import { type FileHash, sharedHasher } from './hasher.ts';
import { INLINE_HASH_BYTES, WRITE_BATCH_BYTES } from './limits.ts';

export interface BlobWriterOptions {
  readonly file: FileHandle;
  /** Where the bytes lie until commit. */
  readonly temporaryPath: string;
  readonly algorithm: 'sha256' | 'sha512';
  /** Bytes already there from an earlier attempt. */
  readonly resumedBytes: number;
  /** True when an `abort` keeps the bytes for a later attempt. */
  readonly resumable: boolean;
  readonly blobPath: (digest: Digest) => string;
  readonly syncDirectory: (algorithm: string) => Promise<void>;
  readonly onWritten: ((bytes: number) => void) | undefined;
  /** Called once, when the writer has ended either way. */
  readonly onEnd: () => void;
}

/**
 * Writes a blob beside the store and moves it in.
 *
 * Invariants:
 * - chunks reach the file in order, in batches; at most one batch is on its way to the disk while the next one gathers;
 * - the hash covers exactly the bytes of the file;
 * - after the end the temporary file is gone, unless the blob is resumable and was aborted.
 */
export class FsBlobWriter implements BlobWriter {
  readonly #options: BlobWriterOptions;
  readonly #inline: Hash | undefined;
  #follower: FileHash | undefined;
  #pending: Uint8Array[] = [];
  /** Memory of the pending chunks that ends with them. */
  #owned: ArrayBuffer[] = [];
  #pendingBytes = 0;
  #writtenBytes: number;
  #flushing: Promise<void> = Promise.resolve();
  #failure: unknown;
  #ended = false;
  sizeBytes: number;

  constructor(options: BlobWriterOptions) {
    this.#options = options;
    this.sizeBytes = options.resumedBytes;
    this.#writtenBytes = options.resumedBytes;
    if (options.resumedBytes > 0) options.onWritten?.(options.resumedBytes);
    if (options.resumedBytes === 0) {
      this.#inline = createHash(options.algorithm);
    } else {
      this.#follow();
    }
  }

  get temporaryPath(): string {
    return this.#options.temporaryPath;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw new WharfError('failed-precondition', 'Cannot write to the blob: it has ended');
    if (this.#failure !== undefined) throw this.#failure;
    if (chunk.length === 0) return;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.sizeBytes += chunk.length;
    if (this.#pendingBytes < WRITE_BATCH_BYTES) return;
    await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
    this.#flushing = this.#flush();
  }

  writeOwned(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#owned.push(chunk.buffer);
    return this.write(chunk);
  }

  async commit(expected: { readonly digest?: Digest; readonly sizeBytes?: number } = {}): Promise<BlobInfo> {
    if (this.#ended) throw new WharfError('failed-precondition', 'Cannot commit the blob: it has ended');
    try {
      await this.#flushing;
      await this.#flush();
      if (this.#failure !== undefined) throw this.#failure;
      const { file, algorithm } = this.#options;
      const [hex] = await Promise.all([this.#finishHash(), file.datasync()]);
      const digest = parseDigest(`${algorithm}:${hex}`);
      this.#check(digest, expected);
      this.#ended = true;
      await file.close();
      await this.#moveIn(digest);
      this.#options.onEnd();
      return { digest, sizeBytes: this.sizeBytes };
    } catch (error) {
      await this.#drop(isWrongContent(error));
      throw toWharfError(error);
    }
  }

  async abort(): Promise<void> {
    if (this.#ended) return;
    await this.#flushing.catch(() => undefined);
    if (this.#options.resumable && this.#failure === undefined) await this.#flush();
    await this.#drop(!this.#options.resumable);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
  }

  async #flush(): Promise<void> {
    const chunks = this.#pending;
    if (chunks.length === 0) return;
    const bytes = this.#pendingBytes;
    const owned = this.#owned;
    this.#pending = [];
    this.#owned = [];
    this.#pendingBytes = 0;
    try {
      if (this.#follower === undefined) {
        if (this.#writtenBytes + bytes > INLINE_HASH_BYTES) this.#follow();
        else for (const chunk of chunks) this.#inline?.update(chunk);
      }
      await writeAll(this.#options.file, chunks, this.#writtenBytes);
      this.#writtenBytes += bytes;
      this.#follower?.advance(this.#writtenBytes);
      this.#options.onWritten?.(this.#writtenBytes);
    } catch (error) {
      this.#failure = toWharfError(error);
    }
    // Moved into nothing: freed.
    for (const memory of owned) if (!memory.detached) memory.transfer(0);
  }

  /** Hands the hash to a worker, which begins anew at the start of the file. */
  #follow(): void {
    this.#follower = sharedHasher.start(this.#options.file.fd, this.#options.algorithm);
    this.#follower.advance(this.#writtenBytes);
  }

  async #finishHash(): Promise<string> {
    const follower = this.#follower;
    if (follower === undefined) return this.#inline?.digest('hex') ?? '';
    this.#follower = undefined;
    return follower.finish();
  }

  #check(digest: Digest, expected: { readonly digest?: Digest; readonly sizeBytes?: number }): void {
    if (expected.sizeBytes !== undefined && expected.sizeBytes !== this.sizeBytes) {
      throw wrongContent(
        `Cannot store blob "${expected.digest ?? digest}": it has ${this.sizeBytes} bytes where ${expected.sizeBytes} were expected`,
      );
    }
    if (expected.digest !== undefined && expected.digest !== digest) {
      throw wrongContent(`Cannot store blob "${expected.digest}": its content has the digest ${digest}`);
    }
  }

  async #moveIn(digest: Digest): Promise<void> {
    const { temporaryPath, blobPath, syncDirectory, algorithm } = this.#options;
    const target = blobPath(digest);
    try {
      const there = await stat(target);
      if (there.size === this.sizeBytes) {
        await rm(temporaryPath, { force: true });
        return;
      }
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
    await rename(temporaryPath, target);
    await syncDirectory(algorithm);
  }

  async #drop(removeBytes: boolean): Promise<void> {
    this.#pending = [];
    this.#ended = true;
    await this.#follower?.drop();
    this.#follower = undefined;
    await this.#options.file.close().catch(() => undefined);
    if (removeBytes || !this.#options.resumable) await rm(this.#options.temporaryPath, { force: true });
    this.#options.onEnd();
  }
}

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let rest = [...chunks];
  let at = position;
  while (rest.length > 0) {
    // writev(2) takes at most IOV_MAX (1024) buffers.
    const { bytesWritten } = await file.writev(rest.slice(0, 1024), at);
    if (bytesWritten === 0) throw new WharfError('resource-exhausted', 'Cannot store blob: no space left on device');
    at += bytesWritten;
    rest = skipBytes(rest, bytesWritten);
  }
}

function skipBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (const chunk of chunks) {
    if (left < chunk.length) break;
    left -= chunk.length;
    index += 1;
  }
  const rest = chunks.slice(index);
  const first = rest[0];
  if (first !== undefined && left > 0) rest[0] = first.subarray(left);
  return rest;
}

const WRONG_CONTENT = 'wrong-content';

function wrongContent(message: string): WharfError {
  return new WharfError('data-loss', message, { code: WRONG_CONTENT });
}

function isWrongContent(error: unknown): boolean {
  return error instanceof WharfError && error.code === WRONG_CONTENT;
}

function toWharfError(error: unknown): WharfError {
  if (error instanceof WharfError) return error;
  if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
    return new WharfError('resource-exhausted', 'Cannot store blob: no space left on device', { cause: error });
  }
  return new WharfError('internal', `Cannot store blob: ${messageOf(error)}`, { cause: error });
}
