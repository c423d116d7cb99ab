/** User namespaces as descriptors, for mounts that map the owners of files. */
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { CLONE, O } from './constants.ts';
import { bind, check, type PathArg, type Pointer } from './ffi.ts';
import { bindMount } from './mount.ts';
import { removePinnedNetns } from './namespaces.ts';
import { SIGNALS } from './signals.ts';

const cClone = bind<(child: Pointer, stack: Buffer, flags: number, argument: bigint) => number>('clone', 'int', [
  'void *',
  'void *',
  'int',
  'intptr_t',
]);
const cDlsym = bind<(handle: Pointer, name: PathArg) => Pointer>('dlsym', 'void *', ['void *', 'str']);
const cKill = bind<(pid: number, signal: number) => number>('kill', 'int', ['int', 'int']);
const cWaitpid = bind<(pid: number, status: Buffer, options: number) => number>('waitpid', 'int', [
  'int',
  'void *',
  'int',
]);

const CLONE_VM = 0x100;
const STACK_BYTES = 64 * 1024;

/** A run of `count` ids: `inside` on as seen in the namespace, `outside` on in the parent. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

export interface IdMapping {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** What the kernel shows for ids that a namespace does not have (user_namespaces(7)). */
const OVERFLOW_ID = 65_534;

/** The parent's id for one in the namespace; that of "nobody", or of its root, for one it does not have. */
export function outsideId(ranges: readonly IdRange[], id: number): number {
  const find = (wanted: number): number | undefined => {
    const range = ranges.find(({ inside, count }) => wanted >= inside && wanted < inside + count);
    return range === undefined ? undefined : range.outside + (wanted - range.inside);
  };
  return find(id) ?? find(OVERFLOW_ID) ?? find(0) ?? OVERFLOW_ID;
}

/** The namespace's id for one of the parent's. */
export function insideId(ranges: readonly IdRange[], id: number): number {
  const range = ranges.find(({ outside, count }) => id >= outside && id < outside + count);
  return range === undefined ? OVERFLOW_ID : range.inside + (id - range.outside);
}

/**
 * Makes a user namespace with these mappings and returns it as a descriptor (the caller's, close-on-exec). It lives as long
 * as the descriptor and the mounts that use it. For an idmapped mount `inside` is the id on disk and `outside` the one that
 * is seen. Costs about a millisecond. Throws `SystemError`: EINVAL for ranges that overlap, EPERM without the right to.
 */
export function openUserNamespace(mapping: IdMapping): number {
  return inNewUserNamespace(mapping, 0, (pid) => openSync(`/proc/${pid}/ns/user`, O.RDONLY | O.CLOEXEC));
}

/**
 * Makes a user namespace and a network namespace that belongs to it, and pins both by bind mounts at paths where nothing is
 * yet: root in the one has the capabilities over the other. They live until unmounted and no process is left in them.
 * Throws `SystemError`; nothing is left then.
 */
export function pinUserAndNetwork(
  mapping: IdMapping,
  paths: { readonly user: string; readonly network: string },
): void {
  inNewUserNamespace(mapping, CLONE.NEWNET, (pid) => {
    pin(`/proc/${pid}/ns/user`, paths.user);
    try {
      pin(`/proc/${pid}/ns/net`, paths.network);
    } catch (error) {
      removePinnedNetns(paths.user);
      throw error;
    }
  });
}

function pin(namespace: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  writeFileSync(path, '', { flag: 'wx', mode: 0o444 });
  try {
    bindMount(namespace, path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Runs `use` with the pid of a process that stands still in new namespaces; it is gone afterwards. */
function inNewUserNamespace<T>(mapping: IdMapping, more: number, use: (pid: number) => T): T {
  // A namespace begins with a process in it. This one shares our memory but for its stack, runs one function of libc that
  // stops it (raise(SIGSTOP)), and is killed where it stands: no program, no copy of our pages.
  const raise = cDlsym(null, 'raise');
  const stack = Buffer.alloc(STACK_BYTES);
  const top = stack.subarray(STACK_BYTES - 256);
  const pid = check(
    cClone(raise, top, CLONE_VM | CLONE.NEWUSER | more | SIGNALS.SIGCHLD, BigInt(SIGNALS.SIGSTOP)),
    'clone',
    'user namespace',
  );
  try {
    writeFileSync(`/proc/${pid}/uid_map`, mapText(mapping.uids));
    writeFileSync(`/proc/${pid}/gid_map`, mapText(mapping.gids));
    return use(pid);
  } finally {
    cKill(pid, SIGNALS.SIGKILL);
    // Its stack is ours until it is gone.
    cWaitpid(pid, Buffer.alloc(128), 0);
    stack.fill(0, 0, 1);
  }
}

/** The user namespace a process is in. The descriptor is the caller's. Throws ENOENT when the process is gone. */
export function userNamespaceOf(pid: number): number {
  return openSync(`/proc/${pid}/ns/user`, O.RDONLY | O.CLOEXEC);
}

function mapText(ranges: readonly IdRange[]): string {
  return ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join('');
}
