/** File system calls that node:fs does not have. All are synchronous: layers are unpacked in workers. */
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, SYS } from './constants.ts';
import { ERRNO, SystemError } from './errno.ts';
import { bind, bindAside, check, lastErrno, type PathArg, pathArg } from './ffi.ts';

export { O, RESOLVE, S } from './constants.ts';

const cMknod = bind<(path: PathArg, mode: number, device: bigint) => number>('mknod', 'int', [
  'str',
  'uint',
  'uint64_t',
]);
const cUtimensat = bind<(fd: number, path: PathArg, times: Buffer, flags: number) => number>('utimensat', 'int', [
  'int',
  'str',
  'void *',
  'int',
]);
const cStatfs = bind<(path: PathArg, out: Buffer) => number>('statfs', 'int', ['str', 'void *']);
const cStatfsAside = bindAside<[path: PathArg, out: Buffer]>('statfs', 'int', ['str', 'void *']);
const cStatx = bind<(fd: number, path: PathArg, flags: number, mask: number, out: Buffer) => number>('statx', 'int', [
  'int',
  'str',
  'int',
  'uint',
  'void *',
]);
const cOpenat2 = bind<(nr: number, fd: number, path: PathArg, how: Buffer, size: number) => number>('syscall', 'long', [
  'long',
  'int',
  'str',
  'void *',
  'size_t',
]);
const cFallocate = bind<(fd: number, mode: number, offset: number, length: number) => number>('fallocate', 'int', [
  'int',
  'int',
  'int64_t',
  'int64_t',
]);
const cLseek = bind<(fd: number, offset: number, whence: number) => number>('lseek', 'int64_t', [
  'int',
  'int64_t',
  'int',
]);
const cSyncfs = bind<(fd: number) => number>('syncfs', 'int', ['int']);

/** Packs a device number as glibc's makedev does. */
export function makeDevice(major: number, minor: number): bigint {
  const a = BigInt(major);
  const b = BigInt(minor);
  return (b & 0xffn) | ((a & 0xfffn) << 8n) | ((b & ~0xffn) << 12n) | ((a & ~0xfffn) << 32n);
}

/** mknod(2). `mode` holds the type bits (`S`) and the permissions; the umask applies. */
export function mknod(path: PathArg, mode: number, major = 0, minor = 0): void {
  check(cMknod(pathArg(path), mode, makeDevice(major, minor)), 'mknod', path);
}

/** Makes a FIFO. */
export function mkfifo(path: PathArg, mode = 0o600): void {
  mknod(path, 0o010000 | (mode & 0o7777));
}

/** Sets access and modification time to the nanosecond, of a symlink itself too. */
export function lutimesNs(path: PathArg, times: { readonly atimeNs: bigint; readonly mtimeNs: bigint }): void {
  writeTimespec(timesBuffer, 0, times.atimeNs);
  writeTimespec(timesBuffer, 16, times.mtimeNs);
  check(cUtimensat(AT_FDCWD, pathArg(path), timesBuffer, AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

const timesBuffer = Buffer.alloc(128);

/** A timespec's nanoseconds are never negative: times before 1970 round the seconds down. */
function writeTimespec(buffer: Buffer, offset: number, ns: bigint): void {
  let seconds = ns / 1_000_000_000n;
  let rest = ns % 1_000_000_000n;
  if (rest < 0n) {
    seconds -= 1n;
    rest += 1_000_000_000n;
  }
  buffer.writeBigInt64LE(seconds, offset);
  buffer.writeBigInt64LE(rest, offset + 8);
}

export interface FileSystemStatus {
  /** The magic number of the filesystem type (statfs(2)). */
  readonly type: number;
  readonly blockSize: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** What users other than root may still write. */
  readonly availableBytes: number;
  readonly files: number;
  readonly freeFiles: number;
}

/** Flags of a mount as statfs(2) tells them. */
export const ST = { RDONLY: 1, NOSUID: 2, NODEV: 4, NOEXEC: 8, NOATIME: 1024, NODIRATIME: 2048 } as const;

/** Magic numbers of filesystems that callers treat apart. */
export const FS_MAGIC = {
  overlay: 0x794c7630,
  tmpfs: 0x01021994,
  cgroup2: 0x63677270,
  nsfs: 0x6e736673,
  btrfs: 0x9123683e,
  ext4: 0xef53,
  xfs: 0x58465342,
} as const;

/** statfs(2). */
export function statfs(path: PathArg): FileSystemStatus {
  const out = Buffer.alloc(128);
  check(cStatfs(pathArg(path), out), 'statfs', path);
  const word = (index: number): number => Number(out.readBigUInt64LE(index * 8));
  const blockSize = word(1);
  return {
    type: word(0),
    blockSize,
    totalBytes: word(2) * blockSize,
    freeBytes: word(3) * blockSize,
    availableBytes: word(4) * blockSize,
    files: word(5),
    freeFiles: word(6),
  };
}

/**
 * The `ST` bits of the mount a path is in, asked beside the event loop: a file server that is away may keep us waiting. Symlinks
 * are followed. Throws `SystemError`.
 */
export async function mountFlagsOf(path: PathArg): Promise<number> {
  const out = Buffer.alloc(128);
  const { result, errno } = await cStatfsAside(pathArg(path), out);
  if (result < 0) throw new SystemError(errno, 'statfs', path);
  return Number(out.readBigUInt64LE(10 * 8));
}

export interface FileStatus {
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly ino: number;
  /** The device the file lives on, packed as in stat(2). */
  readonly dev: bigint;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly nlink: number;
  /** 512-byte blocks in use. */
  readonly blocks: number;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;
const AT_NO_AUTOMOUNT = 0x800;
const AT_STATX_DONT_SYNC = 0x4000;
const statxBuffer = Buffer.alloc(256);

/** statx(2) of a path; a last symlink is not followed. */
export function lstatNs(path: PathArg): FileStatus {
  check(
    cStatx(AT_FDCWD, pathArg(path), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, statxBuffer),
    'statx',
    path,
  );
  return decodeStatx(statxBuffer);
}

/** statx(2) of a path, following symlinks. */
export function statNs(path: PathArg): FileStatus {
  check(cStatx(AT_FDCWD, pathArg(path), AT_NO_AUTOMOUNT, STATX_BASIC_STATS, statxBuffer), 'statx', path);
  return decodeStatx(statxBuffer);
}

/** statx(2) of an open descriptor, `O_PATH` ones too. */
export function fstatNs(fd: number): FileStatus {
  check(cStatx(fd, '', AT_EMPTY_PATH, STATX_BASIC_STATS, statxBuffer), 'statx');
  return decodeStatx(statxBuffer);
}

/** statx(2) of `name` relative to a directory's descriptor; a last symlink is not followed. */
export function lstatAtNs(directory: number, name: PathArg): FileStatus {
  check(
    cStatx(directory, pathArg(name), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, statxBuffer),
    'statx',
    name,
  );
  return decodeStatx(statxBuffer);
}

/** True when `path` is the root of a mount; false when it is not or does not exist. Needs Linux 5.8. */
export function isMountRoot(path: PathArg): boolean {
  // Whether it is one the kernel knows without asking a server, which may not answer.
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  const result = cStatx(AT_FDCWD, pathArg(path), flags, 0, statxBuffer);
  if (result < 0) {
    const errno = lastErrno();
    if (errno === ERRNO.ENOENT || errno === ERRNO.ENOTDIR) return false;
    throw new SystemError(errno, 'statx', path);
  }
  return (statxBuffer.readBigUInt64LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0n;
}

/** `struct statx`, linux/stat.h. */
function decodeStatx(b: Buffer): FileStatus {
  return {
    nlink: b.readUInt32LE(16),
    uid: b.readUInt32LE(20),
    gid: b.readUInt32LE(24),
    mode: b.readUInt16LE(28),
    ino: Number(b.readBigUInt64LE(32)),
    size: Number(b.readBigUInt64LE(40)),
    blocks: Number(b.readBigUInt64LE(48)),
    atimeNs: readTimestamp(b, 64),
    ctimeNs: readTimestamp(b, 96),
    mtimeNs: readTimestamp(b, 112),
    rdevMajor: b.readUInt32LE(128),
    rdevMinor: b.readUInt32LE(132),
    dev: makeDevice(b.readUInt32LE(136), b.readUInt32LE(140)),
  };
}

function readTimestamp(b: Buffer, offset: number): bigint {
  return b.readBigInt64LE(offset) * 1_000_000_000n + BigInt(b.readUInt32LE(offset + 8));
}

/**
 * openat2(2): opens `path` below `directory` (a descriptor, or `AT_FDCWD`) with `resolve` (`RESOLVE`) bounding where
 * symlinks and `..` may lead. The descriptor is close-on-exec and the caller's. EAGAIN (a rename raced with the walk) is
 * retried a few times.
 */
export function openat2(
  directory: number,
  path: PathArg,
  how: { readonly flags: number; readonly mode?: number; readonly resolve: number },
): number {
  const O_CLOEXEC = 0o2000000;
  const buffer = Buffer.alloc(128);
  buffer.writeBigUInt64LE(BigInt(how.flags | O_CLOEXEC), 0);
  buffer.writeBigUInt64LE(BigInt(how.mode ?? 0), 8);
  buffer.writeBigUInt64LE(BigInt(how.resolve), 16);
  const name = pathArg(path);
  for (let attempt = 0; ; attempt++) {
    const fd = cOpenat2(SYS.openat2, directory, name, buffer, 24);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    if (errno !== ERRNO.EAGAIN || attempt === 16) throw new SystemError(errno, 'openat2', path);
  }
}

/** Modes of `fallocate`. */
export const FALLOC = { KEEP_SIZE: 1, PUNCH_HOLE: 2 } as const;

/** fallocate(2): reserves (or with `FALLOC` bits, frees) a range of bytes. */
export function fallocate(fd: number, mode: number, offset: number, length: number): void {
  check(cFallocate(fd, mode, offset, length), 'fallocate');
}

/** Writes back everything of the filesystem that `fd` is on. */
export function syncfs(fd: number): void {
  check(cSyncfs(fd), 'syncfs');
}

const SEEK_DATA = 3;

/**
 * Where at or after `offset` the next bytes are that are not in a hole (lseek(2), `SEEK_DATA`); undefined when nothing but
 * a hole, or nothing, follows. A filesystem without holes has data everywhere. Moves the position of the descriptor: for positional
 * reads only.
 */
export function seekData(fd: number, offset: number): number | undefined {
  const found = Number(cLseek(fd, offset, SEEK_DATA));
  if (found >= 0) return found;
  const errno = lastErrno();
  if (errno === ERRNO.ENXIO) return undefined;
  if (errno === ERRNO.EINVAL) return offset;
  throw new SystemError(errno, 'lseek');
}

export { lgetxattr, llistxattr, lremovexattr, lsetxattr } from './xattr.ts';
