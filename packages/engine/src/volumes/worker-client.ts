import { Worker } from 'node:worker_threads';
import { WharfError } from '@wharf/kit';
import { endThread } from '@wharf/linux/thread';
import { WORKER_IDLE_MS } from './limits.ts';
import type { VolumeReply, VolumeTask, VolumeTaskResult } from './worker-tasks.ts';

/**
 * One thread for slow volume work, started when needed and ended after a while without work. Tasks run in the order given.
 */
export class VolumeWorker {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<VolumeTaskResult>>();

  /** Throws `internal` with the system's error as `code`. */
  run(task: VolumeTask): Promise<VolumeTaskResult> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#nextId += 1;
    const waiter = Promise.withResolvers<VolumeTaskResult>();
    this.#waiting.set(this.#nextId, waiter);
    this.#worker.ref();
    this.#worker.postMessage({ id: this.#nextId, task });
    return waiter.promise;
  }

  /** Ends the thread; work in progress fails. */
  close(): void {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) void endThread(worker);
    this.#fail(new WharfError('aborted', 'The volume worker was ended'));
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { trackUnmanagedFds: false });
    worker.on('message', (reply: VolumeReply) => this.#settle(reply));
    worker.on('error', (cause) => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#fail(new WharfError('internal', 'The volume worker failed', { cause }));
    });
    return worker;
  }

  #settle({ id, result, error }: VolumeReply): void {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiter?.resolve(result ?? 0);
    else waiter?.reject(new WharfError('internal', error.message, { code: error.code }));
    if (this.#waiting.size > 0) return;
    this.#worker?.unref();
    this.#idle = setTimeout(() => this.close(), WORKER_IDLE_MS);
    this.#idle.unref();
  }

  #fail(error: WharfError): void {
    const waiters = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiter of waiters) waiter.reject(error);
  }
}
