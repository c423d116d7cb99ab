import { Worker } from 'node:worker_threads';
import { WharfError } from '@wharf/kit';
import type { HashReply, HashRequest } from './hash-worker.ts';
import { HASH_WORKER_IDLE_MS, HASH_WORKERS } from './limits.ts';

/** A running hash over the bytes of an open file. Call `finish` or `drop` once, before the descriptor is closed. */
export interface FileHash {
  /** Says that the file holds good bytes up to this offset. */
  advance(until: number): void;
  /** The hex digest of everything up to the last `advance`. */
  finish(): Promise<string>;
  /** Forgets it; resolves when the worker no longer touches the descriptor. */
  drop(): Promise<void>;
}

interface Waiting {
  readonly resolve: (hex: string) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that hash files behind their writers.
 *
 * Invariants: a worker exists only while it has work or was idle for less than `HASH_WORKER_IDLE_MS`; a job stays on one
 * worker; a worker that dies fails its jobs and nothing else. Workers never hold the process open while idle.
 */
export class Hasher {
  readonly #slots: Slot[] = Array.from({ length: HASH_WORKERS }, () => new Slot());
  #nextId = 1;

  /** Begins to hash the file behind `fd`, which must be open for reading. */
  start(fd: number, algorithm: 'sha256' | 'sha512'): FileHash {
    const slot = this.#slots.reduce((least, each) => (each.jobs < least.jobs ? each : least));
    const id = this.#nextId++;
    slot.begin({ do: 'start', id, fd, algorithm });
    return {
      advance: (until) => slot.post({ do: 'advance', id, until }),
      finish: () => slot.end({ do: 'finish', id }),
      drop: async () => {
        await slot.end({ do: 'drop', id }).catch(() => undefined);
      },
    };
  }
}

class Slot {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #running = new Set<number>();

  get jobs(): number {
    return this.#running.size;
  }

  begin(request: HashRequest): void {
    clearTimeout(this.#idle);
    this.#running.add(request.id);
    this.#worker ??= this.#spawn();
    this.#worker.ref();
    this.#worker.postMessage(request);
  }

  post(request: HashRequest): void {
    this.#worker?.postMessage(request);
  }

  end(request: HashRequest): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (!this.#worker || !this.#running.has(request.id)) {
      reject(new WharfError('internal', 'Cannot hash the blob: the hash worker has ended'));
      return promise;
    }
    this.#waiting.set(request.id, { resolve, reject });
    this.#worker.postMessage(request);
    return promise;
  }

  #spawn(): Worker {
    const worker = new Worker(new URL('./hash-worker.ts', import.meta.url), { name: 'wharf-hash' });
    worker.on('message', (reply: HashReply) => this.#settle(reply));
    const fail = (error: Error) => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#running.clear();
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    worker.on('error', fail);
    worker.on('exit', () => fail(new WharfError('internal', 'Cannot hash the blob: the hash worker has ended')));
    return worker;
  }

  #settle(reply: HashReply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    this.#running.delete(reply.id);
    if (reply.error === undefined) waiting?.resolve(reply.hex ?? '');
    else waiting?.reject(new WharfError('data-loss', `Cannot hash the blob: ${reply.error}`));
    if (this.#running.size > 0) return;
    this.#worker?.unref();
    this.#idle = setTimeout(() => this.#retire(), HASH_WORKER_IDLE_MS).unref();
  }

  #retire(): void {
    if (this.#running.size > 0) return;
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
  }
}

/** One set of hash threads for the whole process. */
export const sharedHasher = new Hasher();
