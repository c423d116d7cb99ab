import { createHash, randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_KEPT_CONTEXTS, MAX_REMEMBERED_FILES } from '../limits.ts';

/** Content digests of files by what tells one version of a file from another (see `fileVersion`). */
export type FileDigests = Map<string, string>;

/**
 * The last build context of each client directory, so that the next build asks only for what changed. A kept tree is never written to:
 * a new one links its unchanged files and takes its place. What a crash leaves is a tree whole or none.
 */
export class KeptContexts {
  readonly #root: string;
  /** By name, the least recently used first. */
  readonly #digests = new Map<string, FileDigests>();

  constructor(root: string) {
    this.#root = root;
  }

  /** The tree kept for a client's directory; `undefined` without one. */
  find(key: string): string | undefined {
    const path = join(this.#root, nameOf(key));
    return existsSync(path) ? path : undefined;
  }

  /** Digests known of that directory's files. Add to them. */
  digests(key: string): FileDigests {
    const name = nameOf(key);
    const digests: FileDigests = this.#digests.get(name) ?? new Map();
    this.#digests.delete(name);
    // A directory whose files change all the time must not fill the memory.
    if (digests.size > MAX_REMEMBERED_FILES) digests.clear();
    this.#digests.set(name, digests);
    return digests;
  }

  /** Takes a tree over as the one to keep; the one before goes, and those of directories that were not built for longest. */
  async keep(key: string, directory: string): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const path = join(this.#root, nameOf(key));
    const old = join(this.#root, `.old-${randomBytes(8).toString('hex')}`);
    if (existsSync(path)) renameSync(path, old);
    renameSync(directory, path);
    await rm(old, { recursive: true, force: true });
    for (const [name] of [...this.#digests].slice(0, -MAX_KEPT_CONTEXTS)) {
      this.#digests.delete(name);
      await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }

  /** Removes what a crash left, and trees that this daemon has not used: nobody counts them otherwise. */
  async recover(): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    const kept = names.filter((name) => !name.startsWith('.old-')).slice(0, MAX_KEPT_CONTEXTS);
    for (const name of names) {
      if (kept.includes(name)) this.#digests.set(name, new Map());
      else await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
