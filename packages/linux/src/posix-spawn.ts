import { closeSync } from 'node:fs';
import { ERRNO, SystemError } from './errno.ts';
import { bind, bindAside, bindOptional, check, lastErrno, type PathArg, pathArg } from './ffi.ts';
import { liftDescriptor } from './low-descriptors.ts';
import { openPidfd } from './pidfd.ts';
import { watchFd } from './poll.ts';
import { signalName } from './signals.ts';

type SpawnArguments = [
  pid: Int32Array,
  path: PathArg,
  actions: Buffer,
  attributes: Buffer,
  argv: readonly (string | null)[],
  env: readonly (string | null)[],
];
const SPAWN_TYPES = ['void *', 'str', 'void *', 'void *', 'const char **', 'const char **'];
const cSpawn = bind<(...args: SpawnArguments) => number>('posix_spawn', 'int', SPAWN_TYPES);
const cSpawnAside = bindAside<SpawnArguments>('posix_spawn', 'int', SPAWN_TYPES);
const cActionsInit = bind<(actions: Buffer) => number>('posix_spawn_file_actions_init', 'int', ['void *']);
const cActionsDestroy = bind<(actions: Buffer) => number>('posix_spawn_file_actions_destroy', 'int', ['void *']);
const cAddDup2 = bind<(actions: Buffer, from: number, to: number) => number>(
  'posix_spawn_file_actions_adddup2',
  'int',
  ['void *', 'int', 'int'],
);
const cAddOpen = bind<(actions: Buffer, fd: number, path: string, flags: number, mode: number) => number>(
  'posix_spawn_file_actions_addopen',
  'int',
  ['void *', 'int', 'str', 'int', 'uint'],
);
const cAddChdir = bind<(actions: Buffer, path: PathArg) => number>('posix_spawn_file_actions_addchdir_np', 'int', [
  'void *',
  'str',
]);
/** glibc 2.34. */
const cAddCloseFrom = bindOptional<(actions: Buffer, from: number) => number>(
  'posix_spawn_file_actions_addclosefrom_np',
  'int',
  ['void *', 'int'],
);
const cAttrInit = bind<(attributes: Buffer) => number>('posix_spawnattr_init', 'int', ['void *']);
const cAttrSetFlags = bind<(attributes: Buffer, flags: number) => number>('posix_spawnattr_setflags', 'int', [
  'void *',
  'int16_t',
]);
const cAttrSetDefault = bind<(attributes: Buffer, set: Buffer) => number>('posix_spawnattr_setsigdefault', 'int', [
  'void *',
  'void *',
]);
const cAttrSetMask = bind<(attributes: Buffer, set: Buffer) => number>('posix_spawnattr_setsigmask', 'int', [
  'void *',
  'void *',
]);
const cFcntl = bind<(fd: number, command: number, argument: number) => number>('fcntl', 'int', ['int', 'int', 'int']);
const cPipe2 = bind<(fds: Int32Array, flags: number) => number>('pipe2', 'int', ['void *', 'int']);
const cWaitpid = bind<(pid: number, status: Int32Array, options: number) => number>('waitpid', 'int', [
  'int',
  'void *',
  'int',
]);

// Larger than the opaque structs of any libc (glibc x86-64: 80 and 336 bytes; sigset_t: 128).
const ACTIONS_BYTES = 512;
const ATTRIBUTES_BYTES = 1024;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const O_RDWR = 2;
const WNOHANG = 1;

const noSignals = Buffer.alloc(128);
// All but what must not be set: glibc ignores KILL and STOP here and keeps its own two (32, 33) to itself.
const allSignals = Buffer.alloc(128, 0xff);

export interface ExitStatus {
  /** `null` when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Child {
  readonly pid: number;
  /** Resolves once the process has ended and been reaped. Never rejects. */
  readonly exited: Promise<ExitStatus>;
  /** Sends a signal; false when the process has ended. Never hits another process that took the number. */
  kill(signal: number): boolean;
  /** Lets this process end while the child runs. */
  unref(): void;
}

export interface SpawnOptions {
  /** Absolute: PATH is not searched. */
  readonly path: string;
  /** With the program's name first. */
  readonly argv: readonly string[];
  /** The whole environment; this process's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /**
   * What the child gets: child's number → number here (`-1` for /dev/null). 0, 1 and 2 are /dev/null unless given. Nothing
   * else is inherited. The numbers here stay open and the caller's.
   */
  readonly fds?: Readonly<Record<number, number>> | readonly number[] | undefined;
  /** Makes the child a session leader: it survives signals to our process group. */
  readonly setsid?: boolean | undefined;
}

/**
 * Starts a process by posix_spawn(3), at a cost that does not grow with this process (0.15 ms; child_process.spawn blocks the
 * event loop for 10 ms at 200 MB). Its signals are all at their defaults and unblocked.
 * Throws `SystemError` (`ENOENT`, `EACCES`, …) when it cannot be started.
 */
export function spawnProcess(options: SpawnOptions): Child {
  using call = prepare(options);
  need(cSpawn(...call.args), options);
  return watchChild(call.pid());
}

/**
 * As `spawnProcess`, beside the event loop: posix_spawn(3) holds its thread until the child has got a processor and
 * replaced itself, which on a loaded host is milliseconds. The descriptors given must stay open until it resolves.
 */
export async function spawnAside(options: SpawnOptions): Promise<Child> {
  using call = prepare(options);
  const { result } = await cSpawnAside(...call.args);
  need(result, options);
  return watchChild(call.pid());
}

interface PreparedSpawn extends Disposable {
  readonly args: SpawnArguments;
  pid(): number;
}

function prepare(options: SpawnOptions): PreparedSpawn {
  const actions = Buffer.alloc(ACTIONS_BYTES);
  const attributes = Buffer.alloc(ATTRIBUTES_BYTES);
  const lifted: number[] = [];
  const pid = new Int32Array(32);
  const release = () => {
    cActionsDestroy(actions);
    for (const fd of lifted) closeSync(fd);
  };
  cActionsInit(actions);
  try {
    addDescriptors(actions, { 0: -1, 1: -1, 2: -1, ...descriptorMap(options.fds) }, lifted);
    if (options.cwd !== undefined) need(cAddChdir(actions, pathArg(options.cwd)), options);
  } catch (error) {
    release();
    throw error;
  }
  cAttrInit(attributes);
  cAttrSetDefault(attributes, allSignals);
  cAttrSetMask(attributes, noSignals);
  const setsid = options.setsid === true ? POSIX_SPAWN_SETSID : 0;
  cAttrSetFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | setsid);
  const argv = [...options.argv, null];
  return {
    args: [pid, options.path, actions, attributes, argv, [...environment(options.env), null]],
    // The kernel wrote it: index 0 of the array.
    pid: () => pid[0] as number,
    [Symbol.dispose]: release,
  };
}

/** posix_spawn's family returns the error instead of setting errno. */
function need(error: number, options: SpawnOptions): void {
  if (error !== 0) throw new SystemError(error, 'spawn', options.path);
}

function descriptorMap(fds: SpawnOptions['fds']): Readonly<Record<number, number>> {
  if (!Array.isArray(fds)) return (fds ?? {}) as Readonly<Record<number, number>>;
  return Object.fromEntries(fds.entries());
}

function addDescriptors(actions: Buffer, fds: Readonly<Record<number, number>>, lifted: number[]): void {
  const targets = Object.keys(fds)
    .map(Number)
    .sort((a, b) => a - b);
  const highest = targets.at(-1) ?? 2;
  for (const target of targets) {
    const source = fds[target] as number;
    if (source < 0) {
      cAddOpen(actions, target, '/dev/null', O_RDWR, 0);
      continue;
    }
    // A source below the highest target could be overwritten before its turn: take a copy above all of them.
    const safe =
      source !== target && source <= highest ? check(cFcntl(source, F_DUPFD_CLOEXEC, highest + 1), 'fcntl') : source;
    if (safe !== source) lifted.push(safe);
    // dup2 onto itself clears close-on-exec (posix_spawn_file_actions_adddup2, POSIX 2024).
    cAddDup2(actions, safe, target);
  }
  cAddCloseFrom?.(actions, highest + 1);
}

function environment(env: SpawnOptions['env']): string[] {
  const list: string[] = [];
  for (const [name, value] of Object.entries(env ?? process.env))
    if (value !== undefined) list.push(`${name}=${value}`);
  return list;
}

function watchChild(pid: number): Child {
  const { promise, resolve } = Promise.withResolvers<ExitStatus>();
  // The child cannot be reaped by anyone but us, so its number is still its own here.
  const pidfd = openPidfd(pid);
  let ended = false;
  const watch = watchFd(pidfd, { readable: true }, () => {
    const status = reap(pid);
    if (status === undefined) return;
    ended = true;
    watch.close();
    closeSync(pidfd);
    resolve(status);
  });
  return {
    pid,
    exited: promise,
    kill(signal) {
      if (ended) return false;
      try {
        process.kill(pid, signal);
        return true;
      } catch {
        return false;
      }
    },
    unref: () => watch.unref(),
  };
}

/** Takes the status of an ended child; `undefined` while it still runs. One reaped by somebody else counts as 255. */
function reap(pid: number): ExitStatus | undefined {
  const status = new Int32Array(32);
  const result = cWaitpid(pid, status, WNOHANG);
  if (result < 0) {
    const errno = lastErrno();
    return errno === ERRNO.EINTR ? undefined : { code: 255, signal: null };
  }
  if (result === 0) return undefined;
  const word = status[0] as number;
  const signal = word & 0x7f;
  return signal === 0 ? { code: (word >> 8) & 0xff, signal: null } : { code: null, signal: signalName(signal) };
}

/** Makes reads and writes of a descriptor fail with EAGAIN where they would wait. */
export function setNonblocking(fd: number): void {
  check(cFcntl(fd, F_SETFL, check(cFcntl(fd, F_GETFL, 0), 'fcntl') | O_NONBLOCK), 'fcntl');
}

/** A pipe, both ends close-on-exec and the caller's. */
export function pipe(): { readonly readFd: number; readonly writeFd: number } {
  const fds = new Int32Array(32);
  check(cPipe2(fds, O_CLOEXEC), 'pipe2');
  return { readFd: liftDescriptor(fds[0] as number), writeFd: liftDescriptor(fds[1] as number) };
}

/**
 * A descriptor whose reader finds the end at once. Meant for the stdin of whatever a runtime starts: crun before 1.9 gives its standard streams
 * to the container's user (fchown(2)), and who owns the host's /dev/null by an open descriptor can change its mode for everybody.
 */
export function emptyInput(): number {
  const { readFd, writeFd } = pipe();
  closeSync(writeFd);
  return readFd;
}
