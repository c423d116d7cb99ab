import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno, messageOf } from '@wharf/kit';
import { MIN_RESERVED_FILE_SYSTEM_BYTES } from '../limits.ts';

const BLOCK = Buffer.alloc(64 * 1024);
const LITTLE_ROOM_BYTES = 256 * 1024;

/** True for what SQLite or the file system says when there is no room. */
export function isDiskFull(error: unknown): boolean {
  return hasErrno(error, 'ENOSPC', 'EDQUOT') || /disk is full/i.test(messageOf(error));
}

/** True when next to nothing can be written beside `path`; SQLite calls some of what fails then a "disk I/O error". */
export function hasNoRoom(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize < LITTLE_ROOM_BYTES;
}

/**
 * A file of zeros beside the database. On a full disk even opening the database needs some room, and so does what the daemon
 * does next; giving this file up makes it, so that a daemon can start and things can be removed. Left out on very small file systems. Never throws.
 */
export class Reserve {
  readonly #path: string;

  constructor(databasePath: string) {
    this.#path = `${databasePath}.reserve`;
  }

  /** Gives the room back; returns how many bytes. */
  release(): number {
    try {
      const { blocks } = statSync(this.#path);
      rmSync(this.#path);
      return blocks * 512;
    } catch {
      return 0;
    }
  }

  /** Makes the file whole, or as large as there is room for. */
  keep(bytes: number): void {
    try {
      const { blocks, bsize } = statfsSync(dirname(this.#path));
      if (blocks * bsize < MIN_RESERVED_FILE_SYSTEM_BYTES) return;
      const fd = openSync(this.#path, 'a', 0o600);
      try {
        for (let size = statSync(this.#path).size; size < bytes; ) size += writeSync(fd, BLOCK);
      } finally {
        closeSync(fd);
      }
    } catch {
      // A part of it, or none: the next start tries again.
    }
  }
}
