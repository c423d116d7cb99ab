import { closeSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, messageOf, newId } from '@wharf/kit';
import { pipe, spawnAside } from '@wharf/linux/spawn';
import { MIN_KEPT_BYTES } from './limits.ts';
import type { Rotation } from './options.ts';

const SCRIPT = fileURLToPath(new URL('keep-logs.sh', import.meta.url));

/**
 * Sees to it that logs stay bounded while no daemon runs: monitors go on writing then, and nobody rotates. A shell beside the
 * daemon waits for its end and from then on gives back what is older than the newest bytes of each log (`keep-logs.sh`).
 *
 * The daemon that comes next takes its place by a new token.
 */
export class LogKeeper {
  readonly #containers: string;
  readonly #tokenPath: string;
  readonly #log: Logger;
  #running: Promise<void> | undefined;

  constructor(options: { readonly dataRoot: string; readonly log: Logger }) {
    this.#containers = join(options.dataRoot, 'containers');
    this.#tokenPath = join(options.dataRoot, 'log-keeper');
    this.#log = options.log;
  }

  /**
   * A monitor writes into the log of this folder (`containers/ID/log`); without `rotation.maxSizeBytes` the log is meant to have no bound.
   * Never throws: a container without this care runs on.
   */
  async watch(folder: string, monitorPid: number, rotation: Rotation): Promise<void> {
    const path = join(folder, 'keep');
    try {
      if (rotation.maxSizeBytes === undefined) {
        await rm(path, { force: true });
        return;
      }
      const limit = Math.max(rotation.maxSizeBytes * rotation.maxFiles, MIN_KEPT_BYTES);
      await writeFile(path, `${monitorPid} ${limit}\n`, { mode: 0o600 });
      await this.#start();
    } catch (error) {
      this.#log.warn({ error: messageOf(error), path }, 'A log has no bound while no daemon runs');
    }
  }

  async #start(): Promise<void> {
    this.#running ??= this.#spawn().catch((error: unknown) => {
      this.#running = undefined;
      throw error;
    });
    await this.#running;
  }

  async #spawn(): Promise<void> {
    const token = newId();
    await writeFile(`${this.#tokenPath}.tmp`, `${token}\n`, { mode: 0o600 });
    await rename(`${this.#tokenPath}.tmp`, this.#tokenPath);
    // The writing end stays open until this process is gone, however it goes.
    const life = pipe();
    try {
      const child = await spawnAside({
        path: '/bin/sh',
        argv: ['/bin/sh', SCRIPT, this.#containers, this.#tokenPath, token],
        env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
        cwd: '/',
        fds: { 0: life.readFd },
        setsid: true,
      });
      child.unref();
      void child.exited.then(() => {
        closeSync(life.writeFd);
        this.#running = undefined;
      });
    } catch (error) {
      closeSync(life.writeFd);
      throw error;
    } finally {
      closeSync(life.readFd);
    }
  }
}
