/** Mounts that are made and changed before anybody can see them: open_tree(2), mount_setattr(2), move_mount(2). */
import { closeSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, MS, O, SYS } from './constants.ts';
import { bind, check, type PathArg, pathArg } from './ffi.ts';

const cOpenTree = bind<(nr: number, fd: number, path: PathArg, flags: number) => number>('syscall', 'long', [
  'long',
  'int',
  'str',
  'uint',
]);
const cMoveMount = bind<(nr: number, fromFd: number, from: string, toFd: number, to: PathArg, flags: number) => number>(
  'syscall',
  'long',
  ['long', 'int', 'str', 'int', 'str', 'uint'],
);
const cMountSetattr = bind<
  (nr: number, fd: number, path: PathArg, flags: number, attributes: Buffer, size: number) => number
>('syscall', 'long', ['long', 'int', 'str', 'uint', 'void *', 'size_t']);

const OPEN_TREE_CLONE = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOUNT_ATTR_SIZE = 32;
const IDMAP = 0x100000;

/** Attributes of a mount (mount_setattr(2)). */
export const MOUNT_ATTR = {
  RDONLY: 0x1,
  NOSUID: 0x2,
  NODEV: 0x4,
  NOEXEC: 0x8,
  NOATIME: 0x10,
  NODIRATIME: 0x80,
} as const;

/** Where a call starts: a path, or a path below an open directory; `''` is what the descriptor stands for. */
export interface Place {
  readonly directory?: number | undefined;
  readonly path: PathArg;
}

/**
 * A copy of the mount that `from` is in, with `from` as its root, attached nowhere. `recursive` takes the mounts below along.
 * The descriptor is the caller's; closing it before `attachMount` takes the copy down. Throws `SystemError`.
 */
export function cloneMount(from: Place, options: { readonly recursive?: boolean } = {}): number {
  const flags =
    OPEN_TREE_CLONE | O.CLOEXEC | (options.recursive === true ? AT_RECURSIVE : 0) | emptyPathFlag(from, AT_EMPTY_PATH);
  return check(cOpenTree(SYS.open_tree, from.directory ?? AT_FDCWD, pathArg(from.path), flags), 'open_tree', from.path);
}

/** Attaches a detached mount at `to`, which must exist and be of the same sort. The descriptor stays open. */
export function attachMount(mount: number, to: Place): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | emptyPathFlag(to, MOVE_MOUNT_T_EMPTY_PATH);
  check(
    cMoveMount(SYS.move_mount, mount, '', to.directory ?? AT_FDCWD, pathArg(to.path), flags),
    'move_mount',
    to.path,
  );
}

export interface MountAttributes {
  /** `MOUNT_ATTR` bits to set, and to clear. */
  readonly set?: number;
  readonly clear?: number;
  readonly propagation?: 'private' | 'slave' | 'shared' | 'unbindable' | undefined;
  /**
   * A user namespace (`openUserNamespace`) whose mapping the owners of files go through: id N on disk is seen as what N is
   * mapped to. Only for mounts of `cloneMount` not yet attached, once each, on filesystems that know of it; EINVAL otherwise.
   */
  readonly userNamespace?: number | undefined;
  /** The mounts below too, all or none. */
  readonly recursive?: boolean;
}

/** mount_setattr(2), which leaves the attributes not named as they are. Throws `SystemError`; ENOSYS before Linux 5.12. */
export function setMountAttributes(mount: Place, attributes: MountAttributes): void {
  const buffer = Buffer.alloc(128);
  const { userNamespace } = attributes;
  buffer.writeBigUInt64LE(BigInt((attributes.set ?? 0) | (userNamespace === undefined ? 0 : IDMAP)), 0);
  buffer.writeBigUInt64LE(BigInt(attributes.clear ?? 0), 8);
  buffer.writeBigUInt64LE(BigInt(propagationFlag(attributes.propagation)), 16);
  buffer.writeBigUInt64LE(BigInt(userNamespace ?? 0), 24);
  const flags = (attributes.recursive === true ? AT_RECURSIVE : 0) | emptyPathFlag(mount, AT_EMPTY_PATH);
  check(
    cMountSetattr(SYS.mount_setattr, mount.directory ?? AT_FDCWD, pathArg(mount.path), flags, buffer, MOUNT_ATTR_SIZE),
    'mount_setattr',
    mount.path,
  );
}

/** `from`'s tree appears at `target` as `attributes` say; nobody ever sees it without them. Throws `SystemError`. */
export function bindMountWith(
  from: Place,
  target: Place,
  attributes: MountAttributes & { readonly recursive: boolean },
): void {
  const mount = cloneMount(from, { recursive: attributes.recursive });
  try {
    setMountAttributes({ directory: mount, path: '' }, attributes);
    attachMount(mount, target);
  } finally {
    closeSync(mount);
  }
}

function emptyPathFlag({ path }: Place, flag: number): number {
  return path.length === 0 ? flag : 0;
}

function propagationFlag(propagation: MountAttributes['propagation']): number {
  switch (propagation) {
    case 'private':
      return MS.PRIVATE;
    case 'slave':
      return MS.SLAVE;
    case 'shared':
      return MS.SHARED;
    case 'unbindable':
      return MS.UNBINDABLE;
    case undefined:
      return 0;
  }
}
