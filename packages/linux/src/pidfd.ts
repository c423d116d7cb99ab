import { closeSync } from 'node:fs';
import { SYS } from './constants.ts';
import { bind, check } from './ffi.ts';
import { liftDescriptor } from './low-descriptors.ts';
import { watchFd } from './poll.ts';

const cPidfdOpen = bind<(nr: number, pid: number, flags: number) => number>('syscall', 'long', ['long', 'int', 'uint']);
const cSendSignal = bind<(nr: number, fd: number, signal: number, info: null, flags: number) => number>(
  'syscall',
  'long',
  ['long', 'int', 'int', 'void *', 'uint'],
);

/** pidfd_open(2): a descriptor that stays with that process whatever becomes of its number. Throws ESRCH when it is gone. */
export function openPidfd(pid: number): number {
  return liftDescriptor(check(cPidfdOpen(SYS.pidfd_open, pid, 0), 'pidfd_open', String(pid)));
}

/** Sends a signal to exactly the process that the descriptor names. Throws ESRCH once it has been reaped. */
export function pidfdSendSignal(fd: number, signal: number): void {
  check(cSendSignal(SYS.pidfd_send_signal, fd, signal, null, 0), 'pidfd_send_signal');
}

export interface ExitWatch {
  /** Resolves when the process has ended; never rejects, never resolves after `close`. */
  readonly promise: Promise<void>;
  /** Gives up. Idempotent. */
  close(): void;
  /** Lets this process end while watching. */
  unref(): void;
}

/**
 * Watches any process, a child or not, in the event loop. A process that is already gone resolves at once.
 * The number must be known to be the wanted process's (compare `processStartTime` first where it may be stale).
 */
export function watchExit(pid: number): ExitWatch {
  let fd: number;
  try {
    fd = openPidfd(pid);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') {
      return { promise: Promise.resolve(), close() {}, unref() {} };
    }
    throw error;
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    watch.close();
    closeSync(fd);
  };
  const watch = watchFd(fd, { readable: true }, () => {
    close();
    resolve();
  });
  return { promise, close, unref: () => watch.unref() };
}
