/** User namespaces as descriptors, for mounts that map the owners of files. */
import { openSync, writeFileSync } from 'node:fs';
import { CLONE, O } from './constants.ts';
import { bind, check, type PathArg, type Pointer } from './ffi.ts';
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

/**
 * Makes a user namespace with these mappings and returns it as a descriptor (the caller's, close-on-exec). It lives as long
 * as the descriptor and the mounts that use it. For an idmapped mount `inside` is the id on disk and `outside` the one that
 * is seen. Costs about a millisecond. Throws `SystemError`: EINVAL for ranges that overlap, EPERM without the right to.
 */
export function openUserNamespace(mapping: IdMapping): number {
  // A namespace begins with a process in it. This one shares our memory but for its stack, runs one function of libc that
  // stops it (raise(SIGSTOP)), and is killed where it stands: no program, no copy of our pages.
  const raise = cDlsym(null, 'raise');
  const stack = Buffer.alloc(STACK_BYTES);
  const top = stack.subarray(STACK_BYTES - 256);
  const pid = check(
    cClone(raise, top, CLONE_VM | CLONE.NEWUSER | SIGNALS.SIGCHLD, BigInt(SIGNALS.SIGSTOP)),
    'clone',
    'user namespace',
  );
  try {
    writeFileSync(`/proc/${pid}/uid_map`, mapText(mapping.uids));
    writeFileSync(`/proc/${pid}/gid_map`, mapText(mapping.gids));
    return openSync(`/proc/${pid}/ns/user`, O.RDONLY | O.CLOEXEC);
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
