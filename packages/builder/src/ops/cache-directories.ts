import { createHash, randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { abortable, KeyedLock, WharfError } from '@wharf/kit';
import { MAX_PRIVATE_CACHES } from '../limits.ts';
import type { StepMount } from '../plan/vertex.ts';

/** A cache mount's directory as the cache's books have it. */
export interface KeptDirectory {
  readonly name: string;
  /** What Dockerfiles call it. */
  readonly id: string;
  readonly path: string;
  readonly inUse: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly uses: number;
}

/**
 * The directories behind `RUN --mount=type=cache`: one per id, which outlives builds. Of a private one every step that runs at the
 * same time gets another; a locked one waits.
 */
export class CacheDirectories {
  readonly root: string;
  readonly #locks = new KeyedLock();
  /** How many steps use a directory now. */
  readonly #users = new Map<string, number>();
  /** Directories that somebody reads or replaces as a whole: steps wait for the end of it. */
  readonly #closed = new Map<string, Promise<void>>();
  /** Called when nobody uses a directory any more. */
  readonly #idle = new Map<string, (() => void)[]>();
  /** How often one was used, by this daemon. */
  readonly #uses = new Map<string, number>();

  constructor(root: string) {
    this.root = root;
  }

  /**
   * Runs `work` with the directory of a cache mount. `fill` puts the first content into a new one. Throws the signal's reason when it
   * aborts while another step has a locked one.
   */
  use<T>(
    mount: StepMount,
    { fill, signal }: { readonly fill: (path: string) => Promise<void>; readonly signal: AbortSignal },
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const name = nameOf(mount.id === '' ? mount.target : mount.id);
    if (mount.sharing === 'private') return this.#private(name, mount, fill, work);
    const use = () => this.#using(name, async () => work(await this.#directory(name, mount, fill)));
    return mount.sharing === 'locked' ? this.#locked(name, signal, use) : use();
  }

  /** Every directory that is kept. */
  async list(): Promise<readonly KeptDirectory[]> {
    const names = (await readdir(this.root).catch(() => [])).filter((name) => !name.startsWith('.'));
    const found = await Promise.all(
      names.map(async (name): Promise<KeptDirectory | undefined> => {
        const path = join(this.root, name);
        const status = await stat(path).catch(() => undefined);
        if (status === undefined) return undefined;
        const id = await readFile(this.#idFile(name), 'utf8').catch(() => '');
        const lastUsedAt = Math.max(status.atimeMs, status.mtimeMs);
        const times = { createdAt: status.birthtimeMs, lastUsedAt };
        return { name, id, path, inUse: this.isTaken(name), ...times, uses: this.#uses.get(name) ?? 0 };
      }),
    );
    return found.filter((each) => each !== undefined);
  }

  /** Removes a directory. False when a step has it. */
  async remove(name: string): Promise<boolean> {
    if (this.isTaken(name)) return false;
    const path = join(this.root, name);
    const gone = join(this.root, `.gone-${randomBytes(8).toString('hex')}`);
    if (!existsSync(path)) return false;
    // In one step, so that a build that comes now makes a new one.
    renameSync(path, gone);
    rmSync(this.#idFile(name), { force: true });
    await rm(gone, { recursive: true, force: true });
    return true;
  }

  /**
   * Runs `work` with the directory of an id as it is while no step has it; steps that come meanwhile wait. Throws `not-found` for an id that
   * no build has used, and the signal's reason when it aborts while a step has the directory.
   */
  async read<T>(id: string, signal: AbortSignal, work: (path: string) => Promise<T>): Promise<T> {
    const name = [nameOf(id), `${nameOf(id)}.0`].find((each) => existsSync(join(this.root, each)));
    if (name === undefined) throw new WharfError('not-found', `No such cache: ${id}`);
    return this.#alone(name, signal, () => work(join(this.root, name)));
  }

  /** Puts what `fill` makes in the place of an id's directory, whole or not at all; waits as `read` does. */
  async replace(id: string, signal: AbortSignal, fill: (path: string) => Promise<void>): Promise<void> {
    const name = nameOf(id);
    const path = join(this.root, name);
    const fresh = join(this.root, `.new-${randomBytes(8).toString('hex')}`);
    const gone = join(this.root, `.gone-${randomBytes(8).toString('hex')}`);
    try {
      await mkdir(fresh, { recursive: true });
      await fill(fresh);
      await this.#writeId(name, id);
      await this.#alone(name, signal, async () => {
        if (existsSync(path)) renameSync(path, gone);
        renameSync(fresh, path);
      });
    } finally {
      await rm(fresh, { recursive: true, force: true });
      await rm(gone, { recursive: true, force: true });
    }
  }

  /** Removes what a crash left half made or half removed. */
  async recover(): Promise<void> {
    const names = (await readdir(this.root).catch(() => [])).filter((name) => /^\.(?:new|gone)-/.test(name));
    for (const name of names) await rm(join(this.root, name), { recursive: true, force: true });
  }

  /** Who waits for its turn can leave the line; who has it stays to its end. */
  async #locked<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const begun = Promise.withResolvers<void>();
    const whole = this.#locks.run(name, () => {
      signal.throwIfAborted();
      begun.resolve();
      return work();
    });
    await abortable(signal, Promise.race([begun.promise, whole]));
    return whole;
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

  /** True while a step has the directory mounted, or somebody reads or replaces it. */
  isTaken(name: string): boolean {
    return (this.#users.get(name) ?? 0) > 0 || this.#closed.has(name);
  }

  /**
   * Nobody is kept out before the directory is free: a step may have it and be about to take it a second time, for another of its mounts.
   */
  async #alone<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    while (this.isTaken(name)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle.set(name, [...(this.#idle.get(name) ?? []), resolve]);
      await abortable(signal, Promise.race([promise, this.#closed.get(name) ?? promise]));
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed.set(name, promise);
    try {
      return await work();
    } finally {
      this.#closed.delete(name);
      resolve();
    }
  }

  async #using<T>(name: string, work: () => Promise<T>): Promise<T> {
    for (let closed = this.#closed.get(name); closed !== undefined; closed = this.#closed.get(name)) await closed;
    this.#users.set(name, (this.#users.get(name) ?? 0) + 1);
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (this.#users.get(name) ?? 1) - 1;
      if (left > 0) this.#users.set(name, left);
      else {
        this.#users.delete(name);
        for (const tell of this.#idle.get(name) ?? []) tell();
        this.#idle.delete(name);
      }
    }
  }

  /** The directory of a name, made whole or not at all. */
  #directory(name: string, mount: StepMount, fill: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.root, name);
    return this.#locks.run(`make ${name}`, async () => {
      const there = await stat(path).catch(() => undefined);
      if (there !== undefined) {
        await utimes(path, new Date(), there.mtime);
        return path;
      }
      const fresh = join(this.root, `.new-${randomBytes(8).toString('hex')}`);
      await mkdir(fresh, { recursive: true });
      await chmod(fresh, mount.mode ?? 0o755);
      await chown(fresh, mount.uid ?? 0, mount.gid ?? 0);
      await fill(fresh);
      await this.#writeId(name, mount.id === '' ? mount.target : mount.id);
      await rename(fresh, path);
      return path;
    });
  }

  async #writeId(name: string, id: string): Promise<void> {
    const file = this.#idFile(name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, id);
  }

  #idFile(name: string): string {
    return join(this.root, '.ids', name);
  }
}

function nameOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
