import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import type { LogStore } from './log-store.ts';
import { createFile } from './spool.ts';

/**
 * The writing side of a json-file log. Writes go to known positions, so that after a crash the file can be cut back to
 * what the cursor vouches for.
 */
export class JsonWriter {
  readonly #store: LogStore;
  #handle: FileHandle | undefined;
  #size = 0;
  #inode = 0;

  constructor(store: LogStore) {
    this.#store = store;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  get inode(): number {
    return this.#inode;
  }

  /** True when the next record belongs into a new file. */
  get full(): boolean {
    return this.#size >= (this.#store.file.rotation.maxSizeBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Room before the file is full. */
  get roomBytes(): number {
    return (this.#store.file.rotation.maxSizeBytes ?? Number.POSITIVE_INFINITY) - this.#size;
  }

  /**
   * Opens the file and cuts it to `size` if it is the file the cursor knows by its inode. When the cursor knows the
   * file that is now `.1`, the daemon died while rotating: that one is cut and this one begun anew.
   */
  async open(cursor: { readonly inode: number; readonly size: number } | undefined): Promise<void> {
    const { path } = this.#store.file;
    await createFile(path);
    const handle = await open(path, 'r+');
    this.#handle = handle;
    const { ino, size } = await handle.stat();
    this.#inode = ino;
    this.#size = cursor && cursor.inode === ino ? Math.min(cursor.size, size) : 0;
    if (cursor && cursor.inode !== ino) await cutFinished(`${path}.1`, cursor);
    if (size > this.#size) await handle.truncate(this.#size);
  }

  /** For somebody else who writes from `sizeBytes` on; undefined when not open. */
  get fd(): number | undefined {
    return this.#handle?.fd;
  }

  /** So much was written by somebody else. */
  advance(bytes: number): void {
    this.#size += bytes;
  }

  async write(bytes: Buffer): Promise<void> {
    if (!this.#handle || bytes.length === 0) return;
    let at = 0;
    while (at < bytes.length) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#size + at);
      at += bytesWritten;
    }
    this.#size += bytes.length;
  }

  /** Begins a new file. The cursor must be saved before and after. */
  async rotate(onError: (error: unknown) => void): Promise<void> {
    const { file } = this.#store;
    await this.#store.locked(async () => {
      await file.shift();
      if (file.rotation.maxFiles < 2) await rm(file.path, { force: true });
      else await rename(file.path, `${file.path}.1`);
      await this.close();
      this.#handle = await open(file.path, 'wx+', 0o640);
      this.#inode = (await this.#handle.stat()).ino;
      this.#size = 0;
      await this.#store.rotated();
    });
    file.compressFinished(onError);
  }

  /** Waits until the file is on disk. */
  async sync(): Promise<void> {
    await this.#handle?.datasync();
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

async function cutFinished(path: string, cursor: { readonly inode: number; readonly size: number }): Promise<void> {
  const handle = await open(path, 'r+').catch(() => undefined);
  if (!handle) return;
  try {
    const { ino, size } = await handle.stat();
    if (ino === cursor.inode && size > cursor.size) await handle.truncate(cursor.size);
  } finally {
    await handle.close();
  }
}
