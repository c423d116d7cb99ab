import { closeSync, openSync } from 'node:fs';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { bind } from './ffi.ts';

const cFcntl = bind<(fd: number, command: number, argument: number) => number>('fcntl', 'int', ['int', 'int', 'int']);
const F_DUPFD_CLOEXEC = 1030;

/** select(2) takes no descriptor from here on: glibc ends a process that tries. */
const FD_SETSIZE = 1024;
const RESERVED = 32;
/** Below, a descriptor stays where it is: a daemon with few containers pays nothing. */
const LIFT_FROM = 256;
/** Descriptors that others may open while a call that wants low ones goes on. */
const MARGIN = 100;
const NONE = -1;
const KEY = 'wharf.low-descriptors';

/** Kept from the start, before containers and clients take the low numbers, by all threads: they share the table of descriptors. */
const reserve = sharedReserve();
refill();

/**
 * Moves a descriptor that is to be kept for long above those that libraries with select(2) can use. Returns its number from then on; the
 * one given may no longer be used.
 */
export function liftDescriptor(fd: number): number {
  if (fd < LIFT_FROM || fd >= FD_SETSIZE) return fd;
  const lifted = cFcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);
  // At the limit of descriptors it stays.
  if (lifted < 0) return fd;
  closeSync(fd);
  return lifted;
}

/**
 * Runs a foreign call that opens descriptors of its own and waits for them by select(2): low numbers are free meanwhile, however many this
 * process has open. The call must be synchronous.
 */
export function withLowDescriptors<T>(call: () => T): T {
  const next = openSync('/dev/null', 'r');
  closeSync(next);
  if (next < FD_SETSIZE - MARGIN) return call();
  for (let slot = 0; slot < RESERVED; slot += 1) {
    const fd = Atomics.exchange(reserve, slot, NONE);
    if (fd !== NONE) closeSync(fd);
  }
  try {
    return call();
  } finally {
    refill();
  }
}

function refill(): void {
  for (let slot = 0; slot < RESERVED; slot += 1) {
    if (Atomics.load(reserve, slot) !== NONE) continue;
    const fd = openSync('/dev/null', 'r');
    const isKept = fd < FD_SETSIZE && Atomics.compareExchange(reserve, slot, NONE, fd) === NONE;
    if (!isKept) closeSync(fd);
    if (fd >= FD_SETSIZE) return;
  }
}

function sharedReserve(): Int32Array {
  const given: unknown = isMainThread ? undefined : getEnvironmentData(KEY);
  if (given instanceof SharedArrayBuffer) return new Int32Array(given);
  const own = new SharedArrayBuffer(RESERVED * Int32Array.BYTES_PER_ELEMENT);
  setEnvironmentData(KEY, own);
  return new Int32Array(own).fill(NONE);
}
