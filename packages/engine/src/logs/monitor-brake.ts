import { closeSync, readFileSync } from 'node:fs';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import { openPidfd, pidfdSendSignal } from '@wharf/linux/pidfd';
import { SIGNALS } from '@wharf/linux/signals';

/**
 * Makes a container that writes more than can be kept up with wait: its monitor is stopped, the pipes fill, and the process's
 * next write blocks, as it does where a daemon itself reads the pipes. Nothing is lost, and no disk is filled.
 */
export class MonitorBrake {
  readonly #containerId: string;
  readonly #log: Logger;
  #pid = 0;
  #held: number | undefined;

  constructor(options: { readonly containerId: string; readonly log: Logger }) {
    this.#containerId = options.containerId;
    this.#log = options.log;
  }

  /** A monitor runs. One that an earlier daemon stopped goes on. */
  attach(pid: number | undefined): void {
    this.release();
    this.#pid = pid ?? 0;
    this.#held = this.#open();
    this.release();
  }

  /** Idempotent. Never throws. */
  hold(): void {
    if (this.#held !== undefined) return;
    this.#held = this.#open();
    if (this.#held !== undefined) this.#send(this.#held, SIGNALS.SIGSTOP);
  }

  /** Idempotent. Never throws. */
  release(): void {
    const fd = this.#held;
    if (fd === undefined) return;
    this.#held = undefined;
    this.#send(fd, SIGNALS.SIGCONT);
    closeSync(fd);
  }

  /** The number may be another process's by now: it is looked at after the descriptor is open. */
  #open(): number | undefined {
    if (this.#pid <= 0) return undefined;
    let fd: number | undefined;
    try {
      fd = openPidfd(this.#pid);
      if (readFileSync(`/proc/${this.#pid}/cmdline`, 'utf8').split('\0').includes(this.#containerId)) return fd;
    } catch (error) {
      this.#warn(error);
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  #send(fd: number, signal: number): void {
    try {
      pidfdSendSignal(fd, signal);
    } catch (error) {
      this.#warn(error);
    }
  }

  #warn(error: unknown): void {
    if (hasErrno(error, 'ESRCH', 'ENOENT')) return;
    this.#log.warn({ container: this.#containerId, error: messageOf(error) }, 'A monitor could not be slowed down');
  }
}
