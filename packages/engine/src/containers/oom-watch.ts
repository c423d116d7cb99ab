import { existsSync, type FSWatcher, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@wharf/kit';
import { memoryEventsFile, type OomState, readOomState } from '@wharf/linux/cgroup';
import { OOM_FILE } from '../runtime/monitor-arguments.ts';
import { OOM_SETTLE_MS, OOM_TRIES } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { cgroupOf, pathsOf, publish, type Room } from './room.ts';

/**
 * Tells of processes that the kernel kills for want of memory when it happens, also where the container lives on.
 *
 * The monitor makes a file at each sign of exhaustion (`memory.oom_control` on cgroup v1, `memory.events` on v2): before the kill, and
 * often hundreds of times. So the kernel's count of kills is looked at a moment later, and one event tells of what was
 * added. The file goes once the record says so; one that is there at the end is the exit's to tell. Where the kernel may kill nobody
 * (`--oom-kill-disable`), the event tells that processes are stuck.
 */
export class OomWatch {
  readonly #room: Room;
  readonly #live: LiveContainer;
  readonly #path: string;
  #watcher: FSWatcher | undefined;
  #kernel: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told = 0;
  #toldStuck = false;

  /** Containers without a limit of their own are not watched. */
  constructor(room: Room, live: LiveContainer) {
    this.#room = room;
    this.#live = live;
    const { bundle } = pathsOf(room, live.id);
    this.#path = join(bundle, OOM_FILE);
    const { Memory, CgroupParent } = live.record.hostConfig;
    if (!Memory && !CgroupParent) return;
    try {
      this.#watcher = watch(bundle, { persistent: false }, (_, name) => {
        if (name === OOM_FILE) this.#lookSoon(OOM_TRIES);
      });
      this.#watcher.on('error', (error) => this.#warn(error));
      this.#watchKernel();
      // What an earlier daemon told of is in the record, and its file gone.
      if (existsSync(this.#path)) this.#lookSoon(OOM_TRIES);
      else this.#told = this.#state()?.kills ?? 0;
    } catch (error) {
      this.#warn(error);
    }
  }

  /** On v2 the kernel's own file says the same, and sooner; the monitor was seen to miss kills of children there. */
  #watchKernel(): void {
    const file = memoryEventsFile(cgroupOf(this.#room.config, this.#live.record));
    if (file === undefined || !existsSync(file)) return;
    this.#kernel = watch(file, { persistent: false }, () => this.#lookSoon(OOM_TRIES));
    this.#kernel.on('error', (error) => this.#warn(error));
  }

  /** What happens from here on is for whoever books the exit. */
  close(): void {
    this.#watcher?.close();
    this.#kernel?.close();
    if (this.#watcher && existsSync(this.#path)) this.#look(0);
    clearTimeout(this.#timer);
  }

  #lookSoon(tries: number): void {
    this.#timer ??= setTimeout(() => this.#look(tries), OOM_SETTLE_MS).unref();
  }

  #look(tries: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const state = this.#state();
    if (state === undefined) return;
    const { kills, isStuck } = state;
    const isNew = kills > this.#told || (isStuck && !this.#toldStuck);
    this.#toldStuck = isStuck;
    if (!isNew && !isStuck && tries > 0) {
      this.#lookSoon(tries - 1);
      return;
    }
    if (isNew) {
      this.#told = kills;
      this.#room.registry.saveState(this.#live, { oomKilled: true });
      publish(this.#room, this.#live.record, 'oom');
    }
    if (tries === 0) this.#remove();
    else
      this.#room.store.committed().then(
        () => this.#remove(),
        (error: unknown) => this.#warn(error),
      );
  }

  #remove(): void {
    rmSync(this.#path, { force: true });
  }

  /** Undefined when the group is gone. */
  #state(): OomState | undefined {
    return readOomState(cgroupOf(this.#room.config, this.#live.record));
  }

  #warn(error: unknown): void {
    const details = { container: this.#live.id, err: messageOf(error) };
    this.#room.log.warn(details, 'memory exhaustion is told at the end only');
  }
}
