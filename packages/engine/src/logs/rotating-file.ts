import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { seekData } from '@wharf/linux/fsx';
import { compress } from './compress.ts';
import type { Rotation } from './options.ts';

/** One file of a log: the newest has `index` 0. */
export interface LogSegment {
  readonly path: string;
  readonly index: number;
  readonly compressed: boolean;
}

async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * A log's files: `path` is written to, `path.1` (or `path.1.gz`) is the last one finished, and so on.
 *
 * - Callers hold one lock over `shift`, `segments` and opening what it names.
 * - A finished file is compressed beside the log's life and never while files are shifted.
 */
export class RotatingFile {
  readonly path: string;
  readonly rotation: Rotation;
  readonly #compress: (path: string, start: number) => Promise<void>;
  #compressing: Promise<void> = Promise.resolve();

  /** `compressAside` compresses without keeping the event loop; files are compressed on it when absent. */
  constructor(path: string, rotation: Rotation, compressAside = compress) {
    this.path = path;
    this.rotation = rotation;
    this.#compress = compressAside;
  }

  /** The existing files, oldest first. */
  async segments(): Promise<readonly LogSegment[]> {
    const name = basename(this.path);
    const byIndex = new Map<number, LogSegment>();
    for (const entry of await namesIn(dirname(this.path))) {
      if (!entry.startsWith(name)) continue;
      const match = /^(?:\.(\d+)(\.gz)?)?$/.exec(entry.slice(name.length));
      if (!match) continue;
      const index = Number(match[1] ?? 0);
      const compressed = match[2] !== undefined;
      // Both forms are there when the compressor was killed between rename and removal: the compressed one is whole.
      if (compressed || !byIndex.has(index)) {
        byIndex.set(index, { path: join(dirname(this.path), entry), index, compressed });
      }
    }
    return [...byIndex.values()].sort((a, b) => b.index - a.index);
  }

  /** Renames every finished file up by one and drops those beyond the limit: `.1` becomes free. */
  async shift(): Promise<void> {
    await this.#compressing;
    const last = this.rotation.maxFiles - 1;
    for (const segment of await this.segments()) {
      if (segment.index === 0) continue;
      if (segment.index >= last) await removeFile(segment.path);
      else await rename(segment.path, `${this.path}.${segment.index + 1}${segment.compressed ? '.gz' : ''}`);
    }
  }

  /** Removes the last finished file, where none is kept. */
  async dropFinished(): Promise<void> {
    await removeFile(`${this.path}.1`);
  }

  /** Starts compressing the last finished file, if that is wanted. `onError` hears of a failure; the file stays plain. */
  compressFinished(onError: (error: unknown) => void): void {
    if (!this.rotation.compress || this.rotation.maxFiles < 2) return;
    this.#compressing = this.#compressFile(`${this.path}.1`).catch((error: unknown) => {
      if (!hasErrno(error, 'ENOENT')) onError(error);
    });
  }

  async #compressFile(path: string): Promise<void> {
    await this.#compress(path, await firstByteOf(path));
  }

  /** Waits for a compression under way. */
  idle(): Promise<void> {
    return this.#compressing;
  }

  async sizeBytes(): Promise<number> {
    let sum = 0;
    for (const segment of await this.segments()) sum += await blocksOf(segment.path);
    return sum;
  }

  /** Opens for reading; undefined when it is not there. */
  async openActive(): Promise<FileHandle | undefined> {
    try {
      return await open(this.path, 'r');
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Removes temporary files of a compressor that was killed. */
  async cleanUp(): Promise<void> {
    const name = basename(this.path);
    for (const entry of await namesIn(dirname(this.path))) {
      if (entry.startsWith(name) && entry.endsWith('.tmp-gz')) await removeFile(join(dirname(this.path), entry));
    }
  }

  async remove(): Promise<void> {
    await this.#compressing;
    for (const segment of await this.segments()) await removeFile(segment.path);
    await this.cleanUp();
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** What a file takes on disk: shipped spools have holes. */
async function blocksOf(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * 512;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** What stood before was given back while no daemon ran: its zeros are not kept. */
async function firstByteOf(path: string): Promise<number> {
  const handle = await open(path, 'r');
  try {
    return seekData(handle.fd, 0) ?? 0;
  } finally {
    await handle.close();
  }
}
