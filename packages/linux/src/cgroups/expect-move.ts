import { readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { MOVE_EXPECTED_MS, MOVE_REPEAT_MS } from '../limits.ts';
import { type CgroupLayout, detectLayout, directoriesOf } from './layout.ts';

/**
 * Gets the kernel ready for processes to be put into control groups. The first move after a quiet moment waits for all processors to pass
 * through a quiescent state (`percpu_down_write()` of `cgroup_threadgroup_rwsem`: 8 to 30 ms), and a runtime waits with it; a move within
 * some 20 ms after another does not. So this process is moved to where it is already, on another thread, while the caller still
 * prepares what the runtime needs. (The mount option `favordynmods` would make all moves quick and all forks of the host slower.)
 *
 * Costs nothing worth measuring; calls within a while are one.
 */
export class MoveExpectation {
  readonly #nowMs: () => number;
  #untilMs = 0;
  #running: Promise<void> | undefined;
  #file: Promise<FileHandle | undefined> | undefined;

  constructor(options: { readonly nowMs?: () => number } = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** A process is to be moved about now or very soon. Never throws. */
  expect(): void {
    this.#untilMs = this.#nowMs() + MOVE_EXPECTED_MS;
    this.#running ??= this.#keep().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when no move is expected any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #keep(): Promise<void> {
    this.#file ??= openOwn().catch(() => undefined);
    const file = await this.#file;
    if (file === undefined) return;
    while (this.#nowMs() < this.#untilMs) {
      try {
        await file.write(String(process.pid), 0);
      } catch (error) {
        // Somebody else moved us, and the group is gone; find it anew next time.
        if (!hasErrno(error, 'ENODEV', 'ENOENT', 'EACCES', 'EPERM', 'EOPNOTSUPP', 'EINVAL')) throw error;
        this.#file = undefined;
        await file.close();
        return;
      }
      await new Promise((resolve) => {
        setTimeout(resolve, MOVE_REPEAT_MS).unref();
      });
    }
  }
}

/** The list of processes of the group this process is in, in one hierarchy: the lock is the same for all. */
async function openOwn(layout: CgroupLayout = detectLayout()): Promise<FileHandle | undefined> {
  const [directory] = directoriesOf(readFileSync('/proc/self/cgroup', 'utf8'), layout).values();
  return directory === undefined ? undefined : open(join(directory, 'cgroup.procs'), 'w');
}

const moves = new MoveExpectation();

/** See `MoveExpectation`; one for the whole process, as the kernel has one lock. */
export function expectCgroupMove(): void {
  moves.expect();
}
