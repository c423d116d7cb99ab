import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { hasErrno, newId } from '@wharf/kit';
import { seekData } from '@wharf/linux/fsx';
import { CriScanner } from './cri.ts';
import { JsonScanner } from './json-scan.ts';
import { FOLLOWER_MAX_PENDING_FILES } from './limits.ts';
import type { LogScanner } from './record.ts';
import type { LogSegment, RotatingFile } from './rotating-file.ts';

const OPEN_ATTEMPTS = 5;

/** A file opened for reading, at a moment when no rotation was under way. */
export interface OpenSegment {
  readonly segment: LogSegment;
  readonly handle: FileHandle;
  /** As it was when opened; of the compressed form where it is compressed. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Before this there is only a hole: what was given back while no daemon ran. */
  readonly firstByte: number;
}

/** A reader that goes on when the log grows. */
export class Follower {
  /** Grows with every notice, so that none is missed between a read and a wait. */
  version = 0;
  readonly newFiles: FileHandle[] = [];
  readonly #onNotice: () => void;
  #wake: (() => void) | undefined;

  /** `onNotice` is called at every notice, also while nobody waits. */
  constructor(onNotice: () => void = () => undefined) {
    this.#onNotice = onNotice;
  }

  notify(): void {
    this.version += 1;
    this.#wake?.();
    this.#onNotice();
  }

  /** Resolves at the next notice after `seen`, or when `signal` aborts. */
  async wait(seen: number, signal: AbortSignal): Promise<void> {
    if (this.version !== seen || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wake = undefined;
  }
}

/**
 * The readable files of one container's log and those who follow it.
 *
 * - `locked` work never overlaps: whoever renames, creates or lists files does it there.
 * - A follower sees each file exactly once: those opened with it, and then every one announced by `rotated`.
 */
export class LogStore {
  readonly file: RotatingFile;
  readonly format: 'cri' | 'json';
  /** The process runs or may still have something to say: followers wait for more. */
  running = false;
  readonly #followers = new Set<Follower>();
  #tail: Promise<void> = Promise.resolve();

  constructor(file: RotatingFile, format: 'cri' | 'json') {
    this.file = file;
    this.format = format;
  }

  get followed(): boolean {
    return this.#followers.size > 0;
  }

  makeScanner(): LogScanner {
    return this.format === 'cri' ? new CriScanner() : new JsonScanner();
  }

  async locked<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#tail;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#tail = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }

  /** The active file has grown, or the end has come. */
  changed(): void {
    for (const follower of this.#followers) follower.notify();
  }

  /** A new active file was begun and the one before is complete. Called while locked. */
  async rotated(): Promise<void> {
    for (const follower of this.#followers) {
      const handle = await this.file.openActive();
      if (!handle) continue;
      // It may have left meanwhile; then nobody would close the file.
      if (!this.#followers.has(follower)) await handle.close();
      else if (follower.newFiles.length < FOLLOWER_MAX_PENDING_FILES) follower.newFiles.push(handle);
      else await handle.close();
      follower.notify();
    }
  }

  /** Opens all files, oldest first, and begins to announce new ones to `follower`. */
  open(follower?: Follower): Promise<OpenSegment[]> {
    return this.locked(async () => {
      const opened = await this.#openAll();
      if (follower) this.#followers.add(follower);
      return opened;
    });
  }

  /** A file just compressed vanishes under its old name: then the list is made again. */
  async #openAll(): Promise<OpenSegment[]> {
    for (let attempt = 1; ; attempt++) {
      const opened: OpenSegment[] = [];
      try {
        for (const segment of await this.file.segments()) opened.push(await openSegment(segment));
        return opened;
      } catch (error) {
        for (const { handle } of opened) await handle.close();
        if (!hasErrno(error, 'ENOENT') || attempt === OPEN_ATTEMPTS) throw error;
      }
    }
  }

  async leave(follower: Follower): Promise<void> {
    this.#followers.delete(follower);
    for (const handle of follower.newFiles.splice(0)) await handle.close();
  }
}

async function openSegment(segment: LogSegment): Promise<OpenSegment> {
  const handle = await open(segment.path, 'r');
  try {
    const { size, mtimeMs } = await handle.stat();
    const firstByte = segment.compressed ? 0 : (seekData(handle.fd, 0) ?? 0);
    return { segment, handle, sizeBytes: size, modifiedMs: mtimeMs, firstByte };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Unpacks a compressed file into a nameless one beside it, for readers that need positions. Closes the given handle either way. */
export async function unpacked(opened: OpenSegment): Promise<OpenSegment> {
  const path = `${opened.segment.path}.${newId().slice(0, 12)}.tmp-gz`;
  // From here on the stream owns the given handle.
  const file = createReadStream('', { fd: opened.handle, start: 0 });
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'wx+', 0o600);
    await rm(path);
    const gunzip = createGunzip({ chunkSize: 256 * 1024 });
    file.on('error', (error) => gunzip.destroy(error));
    for await (const piece of file.pipe(gunzip)) await handle.appendFile(piece as Buffer);
    const { size } = await handle.stat();
    return { ...opened, segment: { ...opened.segment, compressed: false }, handle, sizeBytes: size, firstByte: 0 };
  } catch (error) {
    await handle?.close();
    throw error;
  } finally {
    file.destroy();
  }
}
