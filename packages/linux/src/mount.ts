import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { MS, O, SYS } from './constants.ts';
import { attachMount, MOUNT_ATTR, setMountAttributes } from './detached-mounts.ts';
import { ERRNO, SystemError } from './errno.ts';
import { bind, bindAside, check, lastErrno, type PathArg, pathArg } from './ffi.ts';
import { isMountRoot } from './fsx.ts';
import { MOUNT_OPTIONS_BYTES, OVERLAY_MAX_LOWER } from './limits.ts';
import { type MountEntry, parseMountInfo } from './mountinfo.ts';
import { escapeOverlayPath, overlayOptions } from './overlay-options.ts';

export { MS } from './constants.ts';
export { type MountEntry, parseMountInfo } from './mountinfo.ts';

const cMount = bind<(source: PathArg, target: PathArg, type: string, flags: number, data: string | null) => number>(
  'mount',
  'int',
  ['str', 'str', 'str', 'unsigned long', 'str'],
);
const cUmount2Aside = bindAside<[target: PathArg, flags: number]>('umount2', 'int', ['str', 'int']);
const UMOUNT_NOFOLLOW = 8;
const cUmount2 = bind<(target: PathArg, flags: number) => number>('umount2', 'int', ['str', 'int']);
const cFsopen = bind<(nr: number, type: string, flags: number) => number>('syscall', 'long', ['long', 'str', 'uint']);
const cFsconfig = bind<
  (nr: number, fd: number, command: number, key: string | null, value: PathArg | null, aux: number) => number
>('syscall', 'long', ['long', 'int', 'uint', 'str', 'str', 'int']);
const cFsmount = bind<(nr: number, fd: number, flags: number, attributes: number) => number>('syscall', 'long', [
  'long',
  'int',
  'uint',
  'uint',
]);
const MNT_FORCE = 1;
const MNT_DETACH = 2;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

export interface MountOptions {
  readonly source: PathArg;
  readonly target: PathArg;
  readonly type: string;
  /** `MS` bits. */
  readonly flags?: number;
  /** The filesystem's own options, `a=b,c`; at most a page. */
  readonly data?: string;
}

/** mount(2). Throws `SystemError`. */
export function mount(options: MountOptions): void {
  check(
    cMount(pathArg(options.source), pathArg(options.target), options.type, options.flags ?? 0, options.data ?? null),
    'mount',
    options.target,
  );
}

/** Makes `source` appear at `target`, which must exist and be of the same sort (directory or not). */
export function bindMount(
  source: PathArg,
  target: PathArg,
  options: { readonly readOnly?: boolean; readonly recursive?: boolean } = {},
): void {
  const recursive = options.recursive === true;
  mount({ source, target, type: 'none', flags: MS.BIND | (recursive ? MS.REC : 0) });
  if (options.readOnly !== true) return;
  try {
    makeReadOnly(target, recursive);
  } catch (error) {
    cUmount2(pathArg(target), MNT_DETACH);
    throw error;
  }
}

/** mount_setattr(2), which keeps the flags the mount has; before Linux 5.12 a remount of the top mount alone. */
function makeReadOnly(target: PathArg, recursive: boolean): void {
  try {
    setMountAttributes({ path: target }, { set: MOUNT_ATTR.RDONLY, recursive });
    return;
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'ENOSYS') throw error;
  }
  mount({ source: 'none', target, type: 'none', flags: MS.BIND | MS.REMOUNT | MS.RDONLY });
}

/** umount2(2), never following a last symlink. `detach` takes it out of the tree at once and frees it when unused. */
export function unmount(target: PathArg, options: { readonly detach?: boolean; readonly force?: boolean } = {}): void {
  const flags = UMOUNT_NOFOLLOW | (options.detach === true ? MNT_DETACH : 0) | (options.force === true ? MNT_FORCE : 0);
  check(cUmount2(pathArg(target), flags), 'unmount', target);
}

/**
 * `unmount` with `detach`, beside the event loop: taking an overlay down writes back the whole file system below its upper
 * directory, and every unmount waits for all processors.
 */
export async function unmountAside(target: PathArg): Promise<void> {
  const { result, errno } = await cUmount2Aside(pathArg(target), UMOUNT_NOFOLLOW | MNT_DETACH);
  if (result < 0) throw new SystemError(errno, 'unmount', target);
}

/** Stops mounts and unmounts from spreading out of and into the subtree at `target`. */
export function makePrivate(target: PathArg, options: { readonly recursive?: boolean } = {}): void {
  mount({ source: 'none', target, type: 'none', flags: MS.PRIVATE | (options.recursive === true ? MS.REC : 0) });
}

/** True when a mount's root is at `path` (a last symlink is not followed); false when there is nothing. */
export function isMountPoint(path: PathArg): boolean {
  return isMountRoot(path);
}

/** The mounts of this process's namespace in the kernel's order. Costs about 10 µs a mount. */
export function listMounts(): MountEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
}

export interface OverlayMount {
  /** Topmost first, at least one. */
  readonly lowerDirs: readonly string[];
  /** Both or neither; without them the mount is read-only. */
  readonly upperDir?: string | undefined;
  readonly workDir?: string | undefined;
  readonly target: string;
  readonly readOnly?: boolean;
  /** Further options (`volatile`, `index=off`), already in mount(8)'s notation. */
  readonly extraOptions?: readonly string[];
}

/**
 * Mounts an overlay. Options that fit in a page go through mount(2); more of them through the new mount API
 * (`lowerdir+`, Linux 6.8) and, where the kernel lacks that, through short names in /proc/self/fd.
 */
export function mountOverlay(overlay: OverlayMount): void {
  if (overlay.lowerDirs.length === 0 || overlay.lowerDirs.length > OVERLAY_MAX_LOWER) {
    throw new SystemError(
      ERRNO.EINVAL,
      'mount overlay at',
      overlay.target,
      `${overlay.lowerDirs.length} lower directories`,
    );
  }
  const flags = overlay.readOnly === true ? MS.RDONLY : 0;
  const data = overlayOptions(overlay);
  if (Buffer.byteLength(data) <= MOUNT_OPTIONS_BYTES) {
    mount({ source: 'overlay', target: overlay.target, type: 'overlay', flags, data });
    return;
  }
  try {
    mountOverlayByContext(overlay);
  } catch (error) {
    if (!(error instanceof SystemError) || (error.code !== 'EINVAL' && error.code !== 'ENOSYS')) throw error;
    mountOverlayByDescriptors(overlay, flags);
  }
}

/** fsopen(2) and its family: each option is a call of its own, so nothing needs to fit in a page. */
function mountOverlayByContext(overlay: OverlayMount): void {
  const CLOEXEC = 1;
  const context = check(cFsopen(SYS.fsopen, 'overlay', CLOEXEC), 'fsopen', 'overlay');
  try {
    const set = (key: string, value: string): void => configure(context, FSCONFIG_SET_STRING, key, value);
    set('source', 'overlay');
    for (const lower of overlay.lowerDirs) set('lowerdir+', lower);
    if (overlay.upperDir !== undefined) set('upperdir', escapeOverlayPath(overlay.upperDir));
    if (overlay.workDir !== undefined) set('workdir', escapeOverlayPath(overlay.workDir));
    for (const option of overlay.extraOptions ?? []) {
      const equals = option.indexOf('=');
      if (equals < 0) configure(context, FSCONFIG_SET_FLAG, option, null);
      else set(option.slice(0, equals), option.slice(equals + 1));
    }
    configure(context, FSCONFIG_CMD_CREATE, null, null);
    const attributes = overlay.readOnly === true ? MOUNT_ATTR.RDONLY : 0;
    const mounted = check(cFsmount(SYS.fsmount, context, CLOEXEC, attributes), 'fsmount', overlay.target);
    try {
      attachMount(mounted, { path: overlay.target });
    } finally {
      closeSync(mounted);
    }
  } finally {
    closeSync(context);
  }
}

function configure(context: number, command: number, key: string | null, value: string | null): void {
  if (cFsconfig(SYS.fsconfig, context, command, key, value, 0) === 0) return;
  const errno = lastErrno();
  throw new SystemError(errno, 'fsconfig', value ?? key ?? 'create', readContextMessage(context));
}

/** What the filesystem says about the last failure; reading the context gives `e overlay: text` lines. */
function readContextMessage(context: number): string {
  const buffer = Buffer.alloc(1024);
  try {
    return buffer
      .toString('utf8', 0, readSync(context, buffer))
      .replace(/^[a-z] /, '')
      .trim();
  } catch {
    return '';
  }
}

/** `/proc/self/fd/N` is short enough for some 220 layers in a page. */
function mountOverlayByDescriptors(overlay: OverlayMount, flags: number): void {
  const open: number[] = [];
  const short = (path: string): string => {
    const fd = openSync(path, O.PATH | O.DIRECTORY | O.CLOEXEC);
    open.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  try {
    const lowerDirs = overlay.lowerDirs.map(short);
    const data = overlayOptions({ ...overlay, lowerDirs });
    if (Buffer.byteLength(data) > MOUNT_OPTIONS_BYTES) {
      throw new SystemError(ERRNO.E2BIG, 'mount overlay at', overlay.target, `${lowerDirs.length} lower directories`);
    }
    mount({ source: 'overlay', target: overlay.target, type: 'overlay', flags, data });
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
