import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { WharfError } from '@wharf/kit';
import { endThread } from '@wharf/linux/thread';
import { Window } from './flow.ts';
import {
  INPUT_CHUNK_BYTES,
  LAST_WORKER_IDLE_MS,
  LAYER_WORKERS,
  MAX_WAITING_JOBS,
  STREAM_WINDOW_BYTES,
  WORKER_IDLE_MS,
} from './limits.ts';
import { flattenError, type Order, type Report, reviveError } from './protocol.ts';

export interface JobRequest<P> {
  /** URL of the module, and the name it exports the job by. */
  readonly module: string;
  readonly job: string;
  readonly params: P;
  readonly input?: AsyncIterable<Uint8Array> | undefined;
  /** Hands every piece of the input on as it comes: for a job that talks with its caller. */
  readonly inputAtOnce?: boolean;
  /** Receives output in order; the job waits while it does. */
  readonly output?: ((chunk: Buffer<ArrayBuffer>) => Promise<void> | void) | undefined;
  /** `output` needs a chunk no longer when it is done with it: the job gets the memory back for the next one. */
  readonly outputGivesBack?: boolean;
  readonly note?: ((note: unknown) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Worker threads kept warm for jobs that are synchronous at heart: unpacking, packing, deleting trees.
 *
 * Invariants:
 * - one job per thread at a time; further jobs wait in order, up to `MAX_WAITING_JOBS`;
 * - idle threads end after a while and never hold the process open;
 * - a job that fails leaves its thread usable, unless the thread says otherwise;
 * - libuv's pool threads exist before the first worker does: threads inherit their creator's root directory, and a
 *   worker may be inside one of its own.
 */
export class WorkerPool {
  readonly #size: number;
  readonly #name: string;
  readonly #slots = new Set<Slot>();
  readonly #idle: Slot[] = [];
  readonly #waiting: (() => void)[] = [];
  #closed = false;

  constructor(options: { readonly name: string; readonly size: number }) {
    this.#size = options.size;
    this.#name = options.name;
  }

  /** Runs a job and returns its result. Throws what the job throws, or the signal's reason. */
  async run<P, R>(request: JobRequest<P>): Promise<R> {
    request.signal?.throwIfAborted();
    await warmLibuv();
    const slot = await this.#acquire();
    try {
      request.signal?.throwIfAborted();
      return (await slot.run(request)) as R;
    } finally {
      this.#release(slot);
    }
  }

  /** Ends all threads; jobs in progress fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#slots].map((slot) => slot.terminate()));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #acquire(): Promise<Slot> {
    for (;;) {
      if (this.#closed) throw new WharfError('unavailable', `Cannot run a job: the pool "${this.#name}" is closed`);
      const idle = this.#idle.pop();
      if (idle) {
        idle.wake();
        return idle;
      }
      if (this.#slots.size < this.#size) {
        const slot = new Slot(this.#name);
        this.#slots.add(slot);
        return slot;
      }
      if (this.#waiting.length >= MAX_WAITING_JOBS) {
        throw new WharfError('resource-exhausted', `Cannot run a job: ${MAX_WAITING_JOBS} wait already`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #release(slot: Slot): void {
    if (slot.isAlive) {
      this.#idle.push(slot);
      const idleMs = this.#slots.size === 1 ? LAST_WORKER_IDLE_MS : WORKER_IDLE_MS;
      slot.rest(idleMs, () => this.#forget(slot));
    } else {
      this.#forget(slot);
    }
    this.#waiting.shift()?.();
  }

  #forget(slot: Slot): void {
    this.#slots.delete(slot);
    const at = this.#idle.indexOf(slot);
    if (at >= 0) this.#idle.splice(at, 1);
    void slot.terminate();
  }
}

let warm: Promise<unknown> | undefined;
function warmLibuv(): Promise<unknown> {
  warm ??= stat('/');
  return warm;
}

/** One thread. */
class Slot {
  readonly #worker: Worker;
  #listener: ((report: Report) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #alive = true;
  #lastId = 0;

  constructor(name: string) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      name: `wharf-${name}`,
      // Descriptors are handed to sockets and closed there, which the tracker would take for a leak.
      trackUnmanagedFds: false,
    });
    this.#worker.on('message', (report: Report) => this.#listener?.(report));
    const die = (error: Error): void => {
      this.#alive = false;
      this.#fail?.(error);
    };
    this.#worker.on('error', die);
    this.#worker.on('exit', () => die(new WharfError('internal', 'Cannot finish the job: its thread has ended')));
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  rest(idleMs: number, onTimeout: () => void): void {
    this.#worker.unref();
    this.#timer = setTimeout(onTimeout, idleMs).unref();
  }

  wake(): void {
    clearTimeout(this.#timer);
    this.#worker.ref();
  }

  async terminate(): Promise<void> {
    this.#alive = false;
    clearTimeout(this.#timer);
    this.#fail?.(new WharfError('internal', 'Cannot finish the job: its thread is ended'));
    await endThread(this.#worker);
  }

  async run(request: JobRequest<unknown>): Promise<unknown> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const ended = Promise.withResolvers<void>();
    const window = new Window(STREAM_WINDOW_BYTES);
    let delivery: Promise<void> = Promise.resolve();
    const abort = (): void => this.#tell({ do: 'abort', id });
    const deliver = async (chunk: Uint8Array<ArrayBuffer>): Promise<void> => {
      // Measured first: whoever takes the chunk may give its memory away.
      const bytes = chunk.byteLength;
      await request.output?.(Buffer.from(chunk.buffer, chunk.byteOffset, bytes));
      const memory = chunk.buffer;
      if (request.outputGivesBack === true) this.#tell({ do: 'ack', id, bytes, memory }, [memory]);
      else this.#tell({ do: 'ack', id, bytes });
    };
    this.#fail = (error) => {
      reject(error);
      ended.resolve();
    };
    this.#listener = (report) => {
      if (report.say === 'output') {
        delivery = delivery.then(() => deliver(report.chunk));
        delivery.catch((error: unknown) => {
          reject(error);
          abort();
        });
      } else if (report.say === 'note') request.note?.(report.note);
      else if (report.say === 'ack') window.give(report.bytes);
      else {
        if (report.say === 'done') delivery.then(() => resolve(report.result), reject);
        else {
          if (report.fatal) this.#alive = false;
          reject(reviveError(report.error));
        }
        ended.resolve();
      }
    };
    request.signal?.addEventListener('abort', abort, { once: true });
    this.#tell({ do: 'run', id, module: request.module, job: request.job, params: request.params });
    if (request.input) void this.#feed(id, request.input, window, request.inputAtOnce ? 1 : INPUT_CHUNK_BYTES);
    try {
      return await promise;
    } catch (error) {
      throw request.signal?.aborted ? request.signal.reason : error;
    } finally {
      request.signal?.removeEventListener('abort', abort);
      // The thread is free again only when the job itself has ended, not when its caller stopped listening.
      await ended.promise;
      window.fail(new WharfError('aborted', 'Cannot send input: the job is over'));
      this.#listener = undefined;
      this.#fail = undefined;
    }
  }

  /** Sends the input in pieces of its own memory: what comes from a socket is a part of a larger shared buffer. */
  async #feed(id: number, input: AsyncIterable<Uint8Array>, window: Window, chunkBytes: number): Promise<void> {
    let pending: Uint8Array[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      if (bytes === 0) return;
      const sent = bytes;
      const chunk = Buffer.allocUnsafeSlow(sent);
      let at = 0;
      for (const piece of pending) {
        chunk.set(piece, at);
        at += piece.byteLength;
      }
      pending = [];
      bytes = 0;
      this.#tell({ do: 'input', id, chunk }, [chunk.buffer]);
      await window.take(sent);
    };
    try {
      for await (const piece of input) {
        pending.push(piece);
        bytes += piece.byteLength;
        if (bytes >= chunkBytes) await flush();
      }
      await flush();
      this.#tell({ do: 'input-end', id });
    } catch (error) {
      this.#tell({ do: 'input-end', id, error: flattenError(error) });
    }
  }

  #tell(order: Order, transfer: ArrayBuffer[] = []): void {
    if (this.#alive) this.#worker.postMessage(order, transfer);
  }
}

/** The threads for layers and trees, shared by the whole process. */
export const layerPool: WorkerPool = new WorkerPool({ name: 'layers', size: LAYER_WORKERS });
