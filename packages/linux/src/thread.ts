import { parentPort, type Worker } from 'node:worker_threads';
import { END_THREAD_MS } from './limits.ts';

const END = 'wharf:end';

/**
 * Ends a thread that makes foreign calls, by its own hand. Never `terminate()` one: a foreign call that comes back, or koffi that is just
 * being loaded, finds that no JavaScript may run any more and takes the whole process down. Resolves when the thread has ended, or
 * after a while without it: one that the kernel holds up ends when that lets go. The thread listens by `endWhenTold`.
 */
export async function endThread(worker: Worker): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, END_THREAD_MS);
  worker.once('exit', () => resolve());
  // Whoever waits for the end is not to be left waiting by a process that has nothing else to do.
  worker.ref();
  worker.postMessage(END);
  await promise;
  clearTimeout(timer);
  worker.unref();
}

/** In a thread, before it listens for orders: lets `endThread` end it between two of them. */
export function endWhenTold(): void {
  parentPort?.on('message', (message: unknown) => {
    if (message === END) process.exit(0);
  });
}
