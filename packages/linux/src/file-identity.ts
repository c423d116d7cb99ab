/** Working on files as somebody else without giving up any right: setfsuid(2) with all capabilities kept. */
import { writeSync } from 'node:fs';
import { bind, check } from './ffi.ts';

const cPrctl = bind<(option: number, a: number, b: number, c: number, d: number) => number>('prctl', 'int', [
  'int',
  'ulong',
  'ulong',
  'ulong',
  'ulong',
]);
const cSetfsuid = bind<(id: number) => number>('setfsuid', 'int', ['uint']);
const cSetfsgid = bind<(id: number) => number>('setfsgid', 'int', ['uint']);

const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
/** Changes of user ids leave the capabilities alone (capabilities(7), "The securebits flags"). */
const NO_SETUID_FIXUP = 1 << 2;

/** What setfsuid(2) answers with: the id before. An id that cannot be changes nothing, which is how to ask for it. */
const NO_ID = 0xffffffff;

/**
 * Runs `work` with `uid` and `gid` as the owner of whatever this thread makes, and of the file systems it mounts. Needed where
 * files are seen through a mapping that has no id for our own: the kernel refuses to make any (EOVERFLOW). It must be
 * synchronous: the identity is the thread's. Capabilities stay, so nothing is out of reach. If coming back should fail, the
 * process cannot go on in its right mind and is ended. Throws `SystemError` without CAP_SETPCAP.
 */
export function asFileOwner<T>(owner: FileOwner, work: () => T): T {
  using _ = becomeFileOwner(owner);
  return work();
}

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** The same until disposed of, for a worker thread that does nothing else meanwhile. */
export function becomeFileOwner({ uid, gid }: FileOwner): Disposable {
  const bits = check(cPrctl(PR_GET_SECUREBITS, 0, 0, 0, 0), 'prctl', 'PR_GET_SECUREBITS');
  check(cPrctl(PR_SET_SECUREBITS, bits | NO_SETUID_FIXUP, 0, 0, 0), 'prctl', 'PR_SET_SECUREBITS');
  const group = cSetfsgid(gid);
  const user = cSetfsuid(uid);
  const comeHome = (): void => {
    cSetfsuid(user);
    cSetfsgid(group);
    const home = cSetfsuid(NO_ID) === user && cSetfsgid(NO_ID) === group;
    if (!home || cPrctl(PR_SET_SECUREBITS, bits, 0, 0, 0) !== 0) {
      writeSync(2, 'Cannot return to the own identity for files\n');
      process.abort();
    }
  };
  return { [Symbol.dispose]: comeHome };
}
