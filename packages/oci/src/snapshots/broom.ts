import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import { SMALL_SWEEP, SWEEP_DELAY_MS } from './limits.ts';
import { trees } from './trees.ts';

/**
 * Deletes trees behind everybody's back: throwing something away is one rename, and nobody waits for the rest.
 * What a crash leaves in the trash is swept by the next start.
 */
export class Broom {
  readonly #trash: string;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #serial = 0;

  constructor(options: { readonly trash: string; readonly log: Logger }) {
    this.#trash = options.trash;
    this.#log = options.log;
  }

  /** Takes a directory away at once; its space comes back soon after. What is not there is fine. */
  async discard(directory: string): Promise<void> {
    const to = join(this.#trash, `${Date.now().toString(36)}-${process.pid}-${++this.#serial}`);
    try {
      await rename(directory, to);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
      // Either the directory is gone already, or the trash is.
      await mkdir(this.#trash, { recursive: true, mode: 0o700 });
      await rename(directory, to).catch((again: unknown) => {
        if (!hasErrno(again, 'ENOENT')) throw again;
      });
    }
    this.#timer ??= setTimeout(() => this.#sweepSoon(), SWEEP_DELAY_MS).unref();
  }

  /** Sweeps now; resolves when the trash is empty. Failures are logged: the next sweep tries again. */
  sweep(): Promise<void> {
    this.#sweeping = this.#sweeping.then(async () => {
      try {
        const names = await readdir(this.#trash);
        if (names.length > SMALL_SWEEP) await trees.empty(this.#trash);
        else for (const name of names) await this.#remove(join(this.#trash, name));
      } catch (error) {
        if (!hasErrno(error, 'ENOENT')) this.#log.warn({ error: messageOf(error) }, 'cannot delete removed snapshots');
      }
    });
    return this.#sweeping;
  }

  /** Waits for the sweep under way, after starting the one that is due. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#timer) await this.sweep();
    this.#timer = undefined;
    await this.#sweeping;
  }

  #sweepSoon(): void {
    this.#timer = undefined;
    void this.sweep();
  }

  /** A few small trees, as containers that wrote little leave, are not worth waking a thread. */
  async #remove(path: string): Promise<void> {
    if (await isSmall(path)) await rm(path, { recursive: true, force: true });
    else await trees.empty(path).then(() => rm(path, { recursive: true, force: true }));
  }
}

async function isSmall(path: string): Promise<boolean> {
  const top = await readdir(join(path, 'fs')).catch(() => []);
  if (top.length > 16) return false;
  let count = 0;
  for (const name of top) {
    count += (await readdir(join(path, 'fs', name)).catch(() => [])).length;
    if (count > 32) return false;
  }
  return true;
}
