import { type PollEvents, type PollHandle, pollDescriptor } from './ffi.ts';

export type { PollEvents } from './ffi.ts';

export interface FdWatch {
  /** Changes what is waited for; nothing pauses the watch without giving it up. */
  update(interest: { readonly readable?: boolean; readonly writable?: boolean }): void;
  /** Lets the process end though the watch is open. */
  unref(): void;
  /** Ends the watch. It must come before the descriptor is closed. Idempotent. */
  close(): void;
}

/**
 * Calls back in the event loop whenever `fd` is readable or writable (level-triggered). The descriptor stays the
 * caller's, and only one watch may exist for it at a time. Regular files cannot be watched (EPERM).
 */
export function watchFd(
  fd: number,
  interest: { readonly readable?: boolean; readonly writable?: boolean },
  callback: (events: PollEvents) => void,
): FdWatch {
  const handle: PollHandle = pollDescriptor(fd, interest, callback);
  let closed = false;
  return {
    update(next) {
      if (closed) return;
      if (next.readable === true || next.writable === true) handle.start(next);
      else handle.stop();
    },
    unref: () => handle.unref(),
    close() {
      if (closed) return;
      closed = true;
      handle.close();
    },
  };
}
