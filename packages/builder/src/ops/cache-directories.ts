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
  readonly root: string;
  readonly #locks = new KeyedLock();
  /** How many steps use a directory now. */
  readonly #users = new Map<string, number>();

  constructor(root: string) {
    this.root = root;
  }

  /** Runs `work` with the directory of a cache mount. `fill` puts the first content into a new one. */
  use<T>(mount: StepMount, fill: (path: string) => Promise<void>, work: (path: string) => Promise<T>): Promise<T> {
    const id = mount.id === '' ? mount.target : mount.id;
    const name = createHash('sha256').update(id).digest('hex');
    if (mount.sharing === 'locked') {
      return this.#locks.run(name, () => this.#using(name, async () => work(await this.#directory(name, mount, fill))));
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
    const free = numbers.find((each) => !this.isTaken(each));
    if (free === undefined)
      throw new WharfError('resource-exhausted', `Too many steps use the private cache "${mount.id}"`);
    return this.#using(free, async () => work(await this.#directory(free, mount, fill)));
  }

  /** True while a step has the directory mounted. */
  isTaken(name: string): boolean {
    return (this.#users.get(name) ?? 0) > 0;
  }

  async #using<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#users.get(name) ?? 1) - 1;
      if (left > 0) this.#users.set(name, left);
      else this.#users.delete(name);
    }
  }

  async #directory(name: string, mount: StepMount, fill: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.root, name);
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) {
      await chmod(path, mount.mode ?? 0o755);
      await chown(path, mount.uid ?? 0, mount.gid ?? 0);
      await fill(path);
    }
    return path;
  }
}
