import { parentPort } from 'node:worker_threads';
import { hasErrno, WharfError } from '@wharf/kit';
import { endWhenTold } from '@wharf/linux/thread';
import { Window } from './flow.ts';
import { STREAM_WINDOW_BYTES } from './limits.ts';
import { flattenError, type Job, type JobIo, type Order, type Report, reviveError } from './protocol.ts';
import { isLost } from './root.ts';

endWhenTold();
const port = parentPort;
if (port === null) throw new Error('worker.ts runs as a worker thread only');
const say = (report: Report, transfer: ArrayBuffer[] = []): void => port.postMessage(report, transfer);

/** The input of the job in hand: a queue the caller fills, bounded by the bytes it has not had acknowledged. */
class Inbox implements AsyncIterable<Buffer> {
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake?.();
  }

  end(error?: unknown): void {
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        say({ say: 'ack', bytes: chunk.byteLength });
        yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      } else if (this.#ended) {
        if (this.#error !== undefined) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}

interface Current {
  readonly id: number;
  readonly inbox: Inbox;
  readonly window: Window;
  readonly abort: AbortController;
  /** Memory that the caller has given back. */
  readonly spare: ArrayBuffer[];
}

let current: Current | undefined;

port.on('message', (order: Order) => {
  if (order.do === 'run') void run(order);
  else if (order.id !== current?.id) return;
  else if (order.do === 'input') current.inbox.push(order.chunk);
  else if (order.do === 'input-end') current.inbox.end(order.error && reviveError(order.error));
  else if (order.do === 'ack') {
    if (order.memory !== undefined && order.memory.byteLength >= LARGE_BYTES) current.spare.push(order.memory);
    current.window.give(order.bytes);
  } else abort(current);
});

function abort({ abort, window, inbox }: Current): void {
  const reason = new WharfError('aborted', 'Cannot go on with the job: its caller has left');
  abort.abort(reason);
  window.fail(reason);
  inbox.end(reason);
}

async function run(order: Extract<Order, { do: 'run' }>): Promise<void> {
  const inbox = new Inbox();
  const window = new Window(STREAM_WINDOW_BYTES);
  const abort = new AbortController();
  const spare: ArrayBuffer[] = [];
  current = { id: order.id, inbox, window, abort, spare };
  const io: JobIo = {
    input: inbox,
    async write(chunk) {
      abort.signal.throwIfAborted();
      const bytes = chunk.byteLength;
      say({ say: 'output', chunk }, [chunk.buffer]);
      await window.take(bytes);
    },
    memory: (bytes) => memoryOf(spare, bytes),
    note: (note) => say({ say: 'note', note }),
    signal: abort.signal,
  };
  try {
    const module = (await import(order.module)) as Record<string, Job<unknown, unknown>>;
    const job = module[order.job];
    if (!job) throw new Error(`There is no job "${order.job}" in ${order.module}`);
    const result = await job(order.params, io);
    current = undefined;
    say({ say: 'done', result });
  } catch (error) {
    current = undefined;
    say({ say: 'failed', error: flattenError(explain(error)), fatal: isLost() });
  }
}

/** What is larger than a page is taken in one size, so that any of it can be used again for any. */
const LARGE_BYTES = 260 * 1024;

function memoryOf(spare: ArrayBuffer[], bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes <= 4096 || bytes > LARGE_BYTES) return new Uint8Array(bytes);
  return new Uint8Array(spare.pop() ?? new ArrayBuffer(LARGE_BYTES), 0, bytes);
}

/** A full disk is told apart wherever it strikes. */
function explain(error: unknown): unknown {
  if (error instanceof WharfError || !hasErrno(error, 'ENOSPC', 'EDQUOT')) return error;
  return new WharfError('resource-exhausted', `Cannot write: no space left on device`, {
    cause: error,
    code: 'ENOSPC',
  });
}
