import { closeSync, openSync } from 'node:fs';

/** select(2) takes no descriptor from here on: glibc ends a process that tries. */
const FD_SETSIZE = 1024;
const RESERVED = 24;
/** Descriptors that others may open while a call that wants low ones goes on. */
const MARGIN = 100;

/** Kept from the start, before containers and clients take the low numbers. */
const reserve: number[] = [];
refill();

/**
 * Runs a foreign call that opens descriptors of its own and waits for them by select(2): low numbers are free meanwhile, however many this
 * process has open. The call must be synchronous.
 */
export function withLowDescriptors<T>(call: () => T): T {
  const next = openSync('/dev/null', 'r');
  closeSync(next);
  if (next < FD_SETSIZE - MARGIN) return call();
  for (const fd of reserve.splice(0)) closeSync(fd);
  try {
    return call();
  } finally {
    refill();
  }
}

function refill(): void {
  while (reserve.length < RESERVED) {
    const fd = openSync('/dev/null', 'r');
    if (fd >= FD_SETSIZE) {
      closeSync(fd);
      return;
    }
    reserve.push(fd);
  }
}
