import { createHash } from 'node:crypto';
import { chmod, chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedLock, WharfError } from '@wharf/kit';
import { MAX_PRIVATE_CACHES } from '../limits.ts';
import type { StepMount } from '../plan/vertex.ts';

/**
 * The directories behind `RUN --mount=type=cache`: one per id, which outlives builds. Of a private one every step that runs at the
 * same time gets another; a locked one waits.
 */
export class CacheDirectories {
  readonly #root: string;
  readonly #locks = new KeyedLock();
  readonly #taken = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Runs `work` with the directory of a cache mount. `fill` puts the first content into a new one. */
  use<T>(mount: StepMount, fill: (path: string) => Promise<void>, work: (path: string) => Promise<T>): Promise<T> {
    const id = mount.id === '' ? mount.target : mount.id;
    const name = createHash('sha256').update(id).digest('hex');
    if (mount.sharing === 'locked') {
      return this.#locks.run(name, async () => work(await this.#directory(name, mount, fill)));
    }
    if (mount.sharing === 'private') return this.#private(name, mount, fill, work);
    return this.#locks.run(`make ${name}`, () => this.#directory(name, mount, fill)).then((path) => work(path));
  }

  async #private<T>(
    name: string,
    mount: StepMount,
    fill: (path: string) => Promise<void>,
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const numbers = Array.from({ length: MAX_PRIVATE_CACHES }, (_, index) => `${name}.${index}`);
    const free = numbers.find((each) => !this.#taken.has(each));
    if (free === undefined)
      throw new WharfError('resource-exhausted', `Too many steps use the private cache "${mount.id}"`);
    this.#taken.add(free);
    try {
      return await work(await this.#directory(free, mount, fill));
    } finally {
      this.#taken.delete(free);
    }
  }

  async #directory(name: string, mount: StepMount, fill: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.#root, name);
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) {
      await chmod(path, mount.mode ?? 0o755);
      await chown(path, mount.uid ?? 0, mount.gid ?? 0);
      await fill(path);
    }
    return path;
  }
}
