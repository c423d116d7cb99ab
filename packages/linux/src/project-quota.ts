/** Project quotas: a limit on what a directory tree may hold, on ext4 and xfs mounted with `prjquota`. */
import { closeSync, openSync } from 'node:fs';
import { O, SYS } from './constants.ts';
import { SystemError } from './errno.ts';
import { bind, check, type PathArg } from './ffi.ts';

const cIoctl = bind<(fd: number, request: number, argument: Buffer) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'void *',
]);
const cQuotactlFd = bind<(nr: number, fd: number, command: number, id: number, argument: Buffer) => number>(
  'syscall',
  'long',
  ['long', 'int', 'uint', 'uint', 'void *'],
);

const FS_IOC_FSGETXATTR = 0x801c581f;
const FS_IOC_FSSETXATTR = 0x401c5820;
const FS_XFLAG_PROJINHERIT = 0x200;
const PRJQUOTA = 2;
const Q_GETQUOTA = 0x800007;
const Q_SETQUOTA = 0x800008;
const QIF_BLIMITS = 1;
/** Limits are kept in blocks of this size, whatever the filesystem's are (quotactl(2), QIF_DQBLKSIZE). */
const QUOTA_BLOCK_BYTES = 1024;

const command = (what: number): number => ((what << 8) | PRJQUOTA) >>> 0;

/** The project a file or directory belongs to; 0 is none. Throws ENOTTY or EOPNOTSUPP where the filesystem has no such thing. */
export function projectIdOf(path: PathArg): number {
  return withDirectory(path, (fd) => readAttributes(fd).readUInt32LE(12));
}

/** Puts an empty directory into a project; what is made in it later follows. */
export function setProjectId(path: PathArg, projectId: number): void {
  withDirectory(path, (fd) => {
    const attributes = readAttributes(fd);
    attributes.writeUInt32LE((attributes.readUInt32LE(0) | FS_XFLAG_PROJINHERIT) >>> 0, 0);
    attributes.writeUInt32LE(projectId, 12);
    check(cIoctl(fd, FS_IOC_FSSETXATTR, attributes), 'ioctl FSSETXATTR', path);
  });
}

/**
 * Limits what a project may hold on the filesystem `path` is on; 0 takes the limit away. Throws `SystemError` where quotas
 * are not kept (ESRCH, ENOSYS, EOPNOTSUPP, …: `lacksProjectQuota` tells).
 */
export function setProjectLimit(path: PathArg, projectId: number, limitBytes: number): void {
  withDirectory(path, (fd) => {
    const limits = Buffer.alloc(128);
    const blocks = BigInt(Math.ceil(limitBytes / QUOTA_BLOCK_BYTES));
    limits.writeBigUInt64LE(blocks, 0);
    limits.writeBigUInt64LE(blocks, 8);
    limits.writeUInt32LE(QIF_BLIMITS, 64);
    check(cQuotactlFd(SYS.quotactl_fd, fd, command(Q_SETQUOTA), projectId, limits), 'quotactl', path);
  });
}

/** The limit of a project and what it holds, in bytes. Throws as `setProjectLimit`. */
export function projectUsage(
  path: PathArg,
  projectId: number,
): { readonly limitBytes: number; readonly usedBytes: number } {
  return withDirectory(path, (fd) => {
    const quota = Buffer.alloc(128);
    check(cQuotactlFd(SYS.quotactl_fd, fd, command(Q_GETQUOTA), projectId, quota), 'quotactl', path);
    return {
      limitBytes: Number(quota.readBigUInt64LE(0)) * QUOTA_BLOCK_BYTES,
      usedBytes: Number(quota.readBigUInt64LE(16)),
    };
  });
}

/** True for the errors that mean: this filesystem keeps no project quotas, or this kernel cannot. */
export function lacksProjectQuota(error: unknown): boolean {
  const codes = ['ENOTTY', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'ESRCH', 'EINVAL', 'ENODEV', 'ENOTBLK', 'EPERM'];
  return error instanceof SystemError && codes.includes(error.code);
}

function readAttributes(fd: number): Buffer {
  const attributes = Buffer.alloc(128);
  check(cIoctl(fd, FS_IOC_FSGETXATTR, attributes), 'ioctl FSGETXATTR');
  return attributes;
}

function withDirectory<T>(path: PathArg, work: (fd: number) => T): T {
  const fd = openSync(path, O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
