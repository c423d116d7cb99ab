import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { layerPool } from '@wharf/oci/workers/pool';
import { MAX_KEPT_CONTEXTS } from '../limits.ts';
import { indexedBoot } from './context-index.ts';
import type { ForkParams } from './context-jobs.ts';

/** Where a context lies, and may be received into. */
export interface ContextPlace {
  /** The context's files. Never written to in place: others may link them. */
  readonly tree: string;
  /** What is in it, as `readIndex` reads it; not there while the tree changes. */
  readonly index: string;
  /** For files that are not whole yet. */
  readonly incoming: string;
  readonly bootId: string;
}

/** A context's place, lent to one build. Dispose of it when the build reads it no more. */
export interface LentContext extends ContextPlace, AsyncDisposable {
  /** The tree is the client's now and stays as it is until this is disposed of. */
  received(): void;
}

/** A kept context as the cache's books have it. */
export interface KeptContext {
  readonly id: string;
  readonly path: string;
  readonly inUse: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly uses: number;
}

/** The build that has a tree. */
interface Holder {
  /** Resolves when the tree is received, or given back. */
  readonly settled: Promise<void>;
  isReceived: boolean;
  /** Copies that are being made of it. */
  readonly forks: Set<Promise<unknown>>;
}

interface Slot {
  holder: Holder | undefined;
  uses: number;
}

/**
 * The last build context of each client directory, so that the next build asks only for what changed. A build has the tree for itself;
 * another of the same directory gets a linked copy once the first has received its files. What a crash leaves half changed has no
 * index and goes.
 */
export class KeptContexts {
  readonly #root: string;
  readonly #bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  readonly #slots = new Map<string, Slot>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Lends the tree kept for a client's directory; an empty one of no consequence without a key. */
  async take(key: string | undefined, signal: AbortSignal): Promise<LentContext> {
    if (key === undefined) return this.#passing(undefined);
    const name = nameOf(key);
    for (;;) {
      signal.throwIfAborted();
      const slot = this.#slots.get(name) ?? { holder: undefined, uses: 0 };
      this.#slots.set(name, slot);
      const { holder } = slot;
      if (holder === undefined) return this.#lend(name, slot);
      await Promise.race([holder.settled, aborted(signal)]);
      if (!holder.isReceived || slot.holder !== holder) continue;
      const fork = this.#passing(this.#place(name));
      holder.forks.add(fork);
      return fork.finally(() => holder.forks.delete(fork));
    }
  }

  /** What is kept. */
  async list(): Promise<readonly KeptContext[]> {
    const names = (await readdir(this.#root).catch(() => [])).filter((name) => !name.startsWith('.'));
    const found = await Promise.all(
      names.map(async (id): Promise<KeptContext | undefined> => {
        const path = join(this.#root, id);
        const status = await stat(path).catch(() => undefined);
        const slot = this.#slots.get(id);
        if (status === undefined) return undefined;
        const times = { createdAt: status.birthtimeMs, lastUsedAt: status.mtimeMs };
        return { id, path, inUse: slot?.holder !== undefined, ...times, uses: slot?.uses ?? 0 };
      }),
    );
    return found.filter((each) => each !== undefined);
  }

  /** Removes a kept context. False when it is in use. */
  async remove(id: string): Promise<boolean> {
    const slot = this.#slots.get(id);
    if (slot?.holder !== undefined) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Nobody gets it while it goes.
    this.#slots.set(id, { holder: { settled: promise, isReceived: false, forks: new Set() }, uses: 0 });
    try {
      await rm(join(this.#root, id), { recursive: true, force: true });
    } finally {
      this.#slots.delete(id);
      resolve();
    }
    return true;
  }

  /** Removes what a crash left, and all that a restart of the machine may have harmed. */
  async recover(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const isWhole = !name.startsWith('.') && indexedBoot(this.#place(name).index) === this.#bootId;
      if (!isWhole) await rm(join(this.#root, name), { recursive: true, force: true });
    }
    await this.#evict();
  }

  async #lend(name: string, slot: Slot): Promise<LentContext> {
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    const holder: Holder = { settled, isReceived: false, forks: new Set() };
    slot.holder = holder;
    slot.uses += 1;
    const giveBack = async (): Promise<void> => {
      while (holder.forks.size > 0) await Promise.allSettled(holder.forks);
      touch(path);
      slot.holder = undefined;
      resolve();
    };
    const path = join(this.#root, name);
    try {
      const place = this.#place(name);
      if (!existsSync(place.index)) {
        await rm(path, { recursive: true, force: true });
        await mkdir(place.tree, { recursive: true, mode: 0o755 });
        await this.#evict();
      }
      touch(path);
      const received = (): void => {
        holder.isReceived = true;
        resolve();
      };
      return { ...place, received, [Symbol.asyncDispose]: giveBack };
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  /** A tree for one build only: a linked copy of another, or empty. */
  async #passing(from: ContextPlace | undefined): Promise<LentContext> {
    const name = `.${randomBytes(16).toString('hex')}`;
    const place = this.#place(name);
    const remove = () => rm(join(this.#root, name), { recursive: true, force: true });
    try {
      await mkdir(place.tree, { recursive: true, mode: 0o755 });
      if (from !== undefined) {
        await layerPool.run<ForkParams, void>({
          ...{ module: import.meta.resolve('./context-jobs.ts'), job: 'forkJob' },
          params: { from, to: place },
        });
      }
      return { ...place, received: () => undefined, [Symbol.asyncDispose]: remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  /** Removes those that were not used for longest. */
  async #evict(): Promise<void> {
    const kept = (await this.list()).toSorted((left, right) => right.lastUsedAt - left.lastUsedAt);
    for (const { id } of kept.slice(MAX_KEPT_CONTEXTS)) await this.remove(id);
  }

  #place(name: string): ContextPlace {
    const at = (part: string): string => join(this.#root, name, part);
    return { tree: at('tree'), index: at('index'), incoming: at('incoming'), bootId: this.#bootId };
  }
}

/** Notes the use of a directory. The kernel's own times are those of its last tick: of two uses within it, the later could seem the earlier. */
function touch(path: string): void {
  const seconds = (performance.timeOrigin + performance.now()) / 1000;
  try {
    utimesSync(path, seconds, seconds);
  } catch (error) {
    // It may never have been made.
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
