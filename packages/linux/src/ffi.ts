/**
 * The one door to foreign code: no other file of the repository imports koffi.
 *
 * Rules for those who call through it:
 * - errno is read on the very next line (`check` does it); nothing may allocate in between, or V8 may overwrite it;
 * - buffers handed to a call that keeps the pointer must be longer than 64 bytes (shorter ones may move);
 * - a `Buffer` given for a `str` must end in a zero byte (`pathArg` sees to that).
 */
import koffi from 'koffi';
import { SystemError } from './errno.ts';

const libc = koffi.load('libc.so.6');

/** A path as Node takes it: file names on Linux are bytes, not always UTF-8. */
export type PathArg = string | Buffer;

/** An address in this process's memory, as koffi hands it out. */
export type Pointer = bigint | null;

/** koffi's type descriptions as far as this package uses them. */
export type CType = string;

/** Binds a function of libc. `T` is its signature seen from JavaScript; `int` and `long` come back as numbers. */
export function bind<T extends (...args: never[]) => unknown>(name: string, result: CType, args: readonly CType[]): T {
  return libc.func(name, result, [...args]) as unknown as T;
}

/** A foreign function called on a thread of koffi's pool. */
export type AsideCall<A extends readonly unknown[]> = (
  ...args: A
) => Promise<{ readonly result: number; readonly errno: number }>;

/**
 * As `bind`, for calls the kernel may hold up: they run beside the event loop. Buffers among the arguments must stay
 * referenced until the promise settles.
 */
export function bindAside<A extends readonly unknown[]>(
  name: string,
  result: CType,
  args: readonly CType[],
): AsideCall<A> {
  const call = libc.func(name, result, [...args]);
  return (...given) =>
    new Promise((resolve, reject) => {
      call.async(...given, (error: Error | null, value: number) => {
        // Here the errno is that of the call's own thread.
        const errno = koffi.errno();
        if (error) reject(error);
        else resolve({ result: value, errno });
      });
    });
}

/** As `bind`, `undefined` where this libc has no such symbol. */
export function bindOptional<T extends (...args: never[]) => unknown>(
  name: string,
  result: CType,
  args: readonly CType[],
): T | undefined {
  try {
    return bind<T>(name, result, args);
  } catch {
    return undefined;
  }
}

/** A library other than libc. `func` binds as `bind` does. */
export interface Library {
  func<T extends (...args: never[]) => unknown>(name: string, result: CType, args: readonly CType[]): T;
}

/** Opens a shared library by its soname. Throws koffi's error when it is not installed. */
export function loadLibrary(soname: string): Library {
  const handle = koffi.load(soname);
  return {
    func: <T extends (...args: never[]) => unknown>(name: string, result: CType, args: readonly CType[]): T =>
      handle.func(name, result, [...args]) as unknown as T,
  };
}

/** The errno of the last foreign call of this thread. Only right on the line after the call. */
export function lastErrno(): number {
  return koffi.errno();
}

/** Returns `result`, or throws the `SystemError` of a call that answered −1. `what` is what the call was about. */
export function check(result: number, syscall: string, what?: PathArg): number {
  if (result < 0) throw new SystemError(koffi.errno(), syscall, what);
  return result;
}

/** Ends a path given as bytes with the zero that C wants, and refuses one with a zero inside. */
export function pathArg(path: PathArg): PathArg {
  const inside = path.indexOf('\0');
  if (inside >= 0 && !(typeof path !== 'string' && inside === path.length - 1)) {
    throw new SystemError(22, 'path', path);
  }
  if (typeof path === 'string' || inside >= 0) return path;
  return Buffer.concat([path, Buffer.of(0)]);
}

/** The zero-terminated text at a C pointer. */
export function readCString(pointer: Pointer): string {
  return pointer === null ? '' : koffi.decode.string(pointer);
}

export interface PollEvents {
  readonly readable: boolean;
  readonly writable: boolean;
}

export interface PollInterest {
  readonly readable?: boolean;
  readonly writable?: boolean;
}

/** koffi's handle on a `uv_poll_t`. Its declared types say `callback(events)`; what it calls is `callback(status, events)`. */
interface RawPollHandle {
  start(interest: PollInterest, callback: (status: number, events: PollEvents) => void): void;
  stop(): void;
  close(): void;
  unref(): void;
}

export interface PollHandle {
  start(interest: PollInterest): void;
  stop(): void;
  close(): void;
  unref(): void;
}

/**
 * Watches a descriptor in this thread's event loop (libuv's `uv_poll`). The descriptor stays the caller's.
 * koffi calls back outside of Node's callback scope, where promises would not be settled until something else happens and an
 * exception would be lost; so the callback is run by `setImmediate`, in the same turn of the loop.
 */
export function pollDescriptor(fd: number, interest: PollInterest, callback: (events: PollEvents) => void): PollHandle {
  let open = true;
  const run = (events: PollEvents): void => {
    if (open) callback(events);
  };
  // A status below zero is an error of the descriptor: the reader finds it out.
  const ready = (status: number, events: PollEvents): void => {
    setImmediate(run, status < 0 ? { readable: true, writable: true } : events);
  };
  const poll = koffi.node.poll as unknown as (
    fd: number,
    interest: PollInterest,
    callback: (status: number, events: PollEvents) => void,
  ) => RawPollHandle;
  const handle = poll(fd, interest, ready);
  return {
    start: (next) => handle.start(next, ready),
    stop: () => handle.stop(),
    close() {
      open = false;
      handle.close();
    },
    unref: () => handle.unref(),
  };
}
