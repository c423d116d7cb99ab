import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import { sendControl } from '../streams/control-fifo.ts';
import { REOPEN_DEADLINE_MS, ROTATION_CHECK_BYTES } from './limits.ts';
import type { LogStore } from './log-store.ts';

/**
 * conmon's own log as a store: the `local` driver and the cache of remote drivers. conmon writes, the daemon rotates:
 * it renames the file and asks conmon to begin a new one.
 *
 * A daemon killed between the two leaves conmon writing to the renamed file; `adopt` then asks again.
 */
export class Spool {
  readonly #store: LogStore;
  readonly #log: Logger;
  #controlFifoPath: string | undefined;
  #unchecked = 0;
  #rotating = false;

  constructor(store: LogStore, log: Logger) {
    this.#store = store;
    this.#log = log;
  }

  /** The file is there before conmon starts, so that whoever follows has something to open. */
  async prepare(): Promise<void> {
    await createFile(this.#store.file.path);
  }

  attachMonitor(controlFifoPath: string): void {
    this.#controlFifoPath = controlFifoPath;
    void this.#adopt();
  }

  async #adopt(): Promise<void> {
    await this.#guarded(async () => {
      if ((await fileSize(this.#store.file.path)) !== undefined) return;
      await this.#store.locked(() => this.#reopen());
    });
  }

  /** conmon has written; now and then the size is looked at. */
  notify(bytes: number): void {
    this.#unchecked += bytes;
    const limit = this.#store.file.rotation.maxSizeBytes;
    if (limit === undefined || this.#rotating) return;
    if (this.#unchecked < Math.min(ROTATION_CHECK_BYTES, limit / 8)) return;
    this.#unchecked = 0;
    this.#rotating = true;
    void this.#guarded(async () => {
      const size = await fileSize(this.#store.file.path);
      if (size !== undefined && size >= limit) await this.#rotate();
    }).finally(() => {
      this.#rotating = false;
    });
  }

  finish(): void {
    this.#controlFifoPath = undefined;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log.warn({ error: messageOf(error), path: this.#store.file.path }, 'Log was not rotated');
    }
  }

  async #rotate(): Promise<void> {
    if (this.#controlFifoPath === undefined) return;
    const { file } = this.#store;
    await this.#store.locked(async () => {
      await file.shift();
      await rename(file.path, `${file.path}.1`);
      await this.#reopen();
      if (file.rotation.maxFiles < 2) await file.dropFinished();
    });
    file.compressFinished((error) => this.#log.warn({ error: messageOf(error) }, 'Log was not compressed'));
  }

  /** Asks conmon to begin a new file and waits until it has; then the one before is complete. */
  async #reopen(): Promise<void> {
    const { path } = this.#store.file;
    const deadlineAt = performance.now() + REOPEN_DEADLINE_MS;
    while ((await fileSize(path)) === undefined && this.#controlFifoPath !== undefined) {
      if (performance.now() > deadlineAt) throw new Error('the monitor did not reopen its log');
      await sendControl(this.#controlFifoPath, '2 0 0\n');
      for (let tries = 0; tries < 100 && (await fileSize(path)) === undefined; tries++) await sleep(2);
    }
    await this.#store.rotated();
  }
}

/** Creates an empty file (and its folder) if there is none. */
export async function createFile(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'a', 0o640);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    handle = await open(path, 'a', 0o640);
  }
  await handle.close();
}

/** Undefined when there is no such file. */
export async function fileSize(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
