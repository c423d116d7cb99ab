import { lstat, mkdir, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { unmountAside } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import { toBytes, toText } from '@wharf/oci/tar/bytes';
import type { Builder } from '../build.ts';
import { Pattern } from '../files/pattern.ts';
import { resolveInTree } from '../files/resolve-path.ts';
import { MAX_READ_FILE_BYTES } from '../limits.ts';
import { goMode } from './go-mode.ts';
import type { StatMessage } from './messages.ts';
import type { HeldResult } from './results.ts';

type Stat = StatMessage & { readonly uid: number; readonly gid: number };

/** What clients read of results (BuildKit, gateway `ReadFile`, `ReadDir`, `StatFile`). Links are followed inside of the result only. */
export class ResultFiles {
  readonly #builder: Builder;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Throws `not-found` in Go's words, `resource-exhausted` for too much at once. */
  async read(result: HeldResult, path: string, range: { readonly offset: number; readonly length: number }) {
    return this.#shown(result, async (root) => {
      const file = await open(at(root, path, true), 'r').catch((error: unknown) => rethrow(error, path));
      try {
        const { size } = await file.stat();
        const length = Math.min(range.length > 0 ? range.length : size, Math.max(0, size - range.offset));
        if (length > MAX_READ_FILE_BYTES) {
          throw new WharfError(
            'resource-exhausted',
            `Cannot read "${path}": ${length} bytes are more than ${MAX_READ_FILE_BYTES}`,
          );
        }
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, range.offset);
        return buffer.subarray(0, bytesRead);
      } catch (error) {
        return rethrow(error, path);
      } finally {
        await file.close();
      }
    });
  }

  /** @param pattern names to list, as Go's filepath.Match reads it; all when empty */
  async list(result: HeldResult, path: string, pattern: string): Promise<readonly Stat[]> {
    const wantedNames = pattern === '' ? undefined : new Pattern(pattern);
    return this.#shown(result, async (root) => {
      const directory = at(root, path, true);
      const names = await readdir(directory).catch((error: unknown) => rethrow(error, path));
      const wanted = names.filter((name) => wantedNames?.matches(name) ?? true);
      return Promise.all(wanted.toSorted().map((name) => statOf(join(directory, name), name)));
    });
  }

  async stat(result: HeldResult, path: string): Promise<Stat> {
    return this.#shown(result, async (root) => {
      const name = path.split('/').findLast((part) => part !== '') ?? '';
      return statOf(at(root, path, false), name).catch((error: unknown) => rethrow(error, path));
    });
  }

  async #shown<T>(result: HeldResult, work: (root: string) => Promise<T>): Promise<T> {
    if (result.kind === 'directory') return work(result.path);
    const { chainId } = result.tree;
    return this.#builder.withScratch(async (scratch) => {
      const root = join(scratch, 'tree');
      await mkdir(root);
      if (chainId === '') return work(root);
      mountSnapshot(this.#builder.snapshots.mounts(chainId, { readOnly: true }), root);
      try {
        return await work(root);
      } finally {
        await unmountAside(root);
      }
    });
  }
}

function at(root: string, path: string, follow: boolean): string {
  const inside = toText(resolveInTree(root, toBytes(path), follow));
  return inside === '/' ? root : root + inside;
}

async function statOf(path: string, name: string): Promise<Stat> {
  const status = await lstat(path, { bigint: true });
  return {
    ...{ path: name, mode: goMode(Number(status.mode)), uid: Number(status.uid), gid: Number(status.gid) },
    ...{ size: status.isFile() ? Number(status.size) : 0, modTime: status.mtimeNs, devmajor: 0, devminor: 0 },
    linkname: status.isSymbolicLink() ? await readlink(path) : '',
  };
}

function rethrow(error: unknown, path: string): never {
  if (hasErrno(error, 'ENOENT', 'ENOTDIR')) {
    throw new WharfError('not-found', `open ${path}: no such file or directory`, { cause: error });
  }
  if (hasErrno(error, 'EISDIR'))
    throw new WharfError('invalid-argument', `read ${path}: is a directory`, { cause: error });
  throw error;
}
