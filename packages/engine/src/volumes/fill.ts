import { closeSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import type { Attachments } from './attachments.ts';
import { copyTree, isEmptyDirectory, openDirectory } from './copy-tree.ts';
import type { Subpaths } from './subpath.ts';
import type { VolumeRecord } from './volume.ts';
import type { VolumeBooks } from './volume-books.ts';
import type { VolumeWorker } from './worker-client.ts';

/** The directory of a container's root whose content a volume begins with. */
export interface FillSource {
  /** Open, the caller's. */
  readonly fd: number;
  readonly rootfs: string;
  readonly path: string;
}

/** Copy-up: fills empty volumes with what the image has at their place. The caller holds the volume's lock. */
export class VolumeFiller {
  readonly #books: VolumeBooks;
  readonly #worker: VolumeWorker;
  readonly #attachments: Attachments;
  readonly #subpaths: Subpaths;
  readonly #durable: () => Promise<void>;

  constructor(parts: {
    readonly books: VolumeBooks;
    readonly worker: VolumeWorker;
    readonly attachments: Attachments;
    readonly subpaths: Subpaths;
    readonly durable: () => Promise<void>;
  }) {
    this.#books = parts.books;
    this.#worker = parts.worker;
    this.#attachments = parts.attachments;
    this.#subpaths = parts.subpaths;
    this.#durable = parts.durable;
  }

  /** Fills the volume when it is empty. One whose filling was cut short is filled anew. Throws `failed to populate volume: …`. */
  async fill(volume: VolumeRecord, from: FillSource): Promise<void> {
    const user = `fill:${volume.name}`;
    const inUse = this.#attachments.isUsed(volume.name);
    const target = await this.#attachments.attach(volume, user);
    try {
      if (volume.populating === true && !inUse) await clear(target);
      else if (!(await isEmpty(target))) return;
      if (isEmptyDirectory(from.fd)) {
        copyStatus(from.fd, target);
        return;
      }
      this.#books.volumes.put(volume.name, { ...volume, populating: true });
      await this.#durable();
      await this.#worker.run({ kind: 'populate', rootfs: from.rootfs, path: from.path, target });
      this.#books.volumes.put(volume.name, { ...volume, populating: undefined });
    } catch (cause) {
      if (!inUse) await clear(target);
      throw failed(cause);
    } finally {
      await this.#attachments.detach(volume.name, user);
    }
  }

  /** As `fill`, for a directory inside a volume: one that is not there, or not a directory, is nothing to fill. */
  async fillPart(
    volume: VolumeRecord,
    from: FillSource,
    part: { readonly containerId: string; readonly subpath: string },
  ): Promise<void> {
    const user = `fill:${volume.name}`;
    const data = await this.#attachments.attach(volume, user);
    try {
      const target = this.#subpaths.pin(part.containerId, data, part.subpath);
      if (!(await stat(target)).isDirectory() || !(await isEmpty(target))) return;
      if (isEmptyDirectory(from.fd)) copyStatus(from.fd, target);
      else await this.#worker.run({ kind: 'populate', rootfs: from.rootfs, path: from.path, target });
    } catch (cause) {
      if (!isKind(cause, 'not-found')) throw failed(cause);
    } finally {
      this.#subpaths.release(part.containerId);
      await this.#attachments.detach(volume.name, user);
    }
  }
}

/** A fresh filesystem's `lost+found` is nobody's content. */
async function isEmpty(directory: string): Promise<boolean> {
  return (await readdir(directory)).every((name) => name === 'lost+found');
}

function failed(cause: unknown): WharfError {
  const kind = cause instanceof WharfError ? cause.kind : 'internal';
  return new WharfError(kind, `failed to populate volume: ${messageOf(cause)}`, { cause });
}

/** An empty directory still gives the volume its owner, mode and times. */
function copyStatus(source: number, target: string): void {
  const fd = openDirectory(target);
  try {
    copyTree(source, fd);
  } finally {
    closeSync(fd);
  }
}

async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name !== 'lost+found') await rm(join(directory, name), { recursive: true, force: true });
  }
}
