import { bind } from './ffi.ts';

const cSigmask = bind<(how: number, set: Buffer, old: Buffer | null) => number>('pthread_sigmask', 'int', [
  'int',
  'void *',
  'void *',
]);

const SIG_SETMASK = 2;
const SIGSET_BYTES = 128;
const all = Buffer.alloc(SIGSET_BYTES, 0xff);

/**
 * Runs a foreign call that takes a signal for a failure (EINTR), as of a child that ends meanwhile. Signals of the process go to its other
 * threads, or wait. The call must be synchronous and short.
 */
export function withSignalsHeld<T>(call: () => T): T {
  const before = Buffer.alloc(SIGSET_BYTES);
  cSigmask(SIG_SETMASK, all, before);
  try {
    return call();
  } finally {
    cSigmask(SIG_SETMASK, before, null);
  }
}
