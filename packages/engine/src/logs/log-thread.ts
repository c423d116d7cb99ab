import { Worker } from 'node:worker_threads';
import { WharfError } from '@wharf/kit';
import { endThread } from '@wharf/linux/thread';
import { LOG_THREAD_IDLE_MS } from './limits.ts';
import type { LogOrder, LogReply, LogTask, Shipped, ShipTask } from './thread-tasks.ts';

/**
 * One thread for the logs of containers that write a lot, started when needed and ended after a while without work. Such
 * containers take turns there, piece by piece; files are compressed meanwhile.
 */
export class LogThread {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 0;
  readonly #waiting = new Map<number, PromiseWithResolvers<Shipped | undefined>>();

  /** Rejects with the system's error code; what was written is not vouched for then. */
  async ship(task: ShipTask): Promise<Shipped> {
    const shipped = await this.#run(task);
    if (shipped === undefined) throw new WharfError('internal', 'The log thread gave no answer');
    return shipped;
  }

  /** Makes `path.gz` of what `path` holds from `start` on. */
  async compress(path: string, start: number): Promise<void> {
    await this.#run({ kind: 'compress', path, start });
  }

  #run(task: LogTask): Promise<Shipped | undefined> {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#nextId += 1;
    const waiter = Promise.withResolvers<Shipped | undefined>();
    this.#waiting.set(this.#nextId, waiter);
    const order: LogOrder = { id: this.#nextId, task };
    this.#worker.postMessage(order);
    return waiter.promise;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./log-worker.ts', import.meta.url), { trackUnmanagedFds: false });
    // Output that was not shipped is shipped by the next daemon: it does not keep this one alive.
    worker.unref();
    worker.on('message', (reply: LogReply) => this.#settle(reply));
    worker.on('error', (cause) => this.#fail(worker, cause));
    return worker;
  }

  #settle({ id, shipped, error }: LogReply): void {
    const waiter = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiter?.resolve(shipped);
    else waiter?.reject(Object.assign(new Error(error.message), { code: error.code }));
    if (this.#waiting.size > 0) return;
    this.#idle = setTimeout(() => this.#end(), LOG_THREAD_IDLE_MS);
    this.#idle.unref();
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker !== undefined) void endThread(worker);
  }

  #fail(worker: Worker, cause: unknown): void {
    if (this.#worker === worker) this.#worker = undefined;
    const waiters = [...this.#waiting.values()];
    this.#waiting.clear();
    const error = new WharfError('internal', 'The log thread failed', { cause });
    for (const waiter of waiters) waiter.reject(error);
  }
}
