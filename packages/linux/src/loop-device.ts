/** Files as block devices (loop(4)). */
import { closeSync, openSync } from 'node:fs';
import { O } from './constants.ts';
import { ERRNO, SystemError } from './errno.ts';
import { bind, check, lastErrno, type PathArg } from './ffi.ts';

const cIoctl = bind<(fd: number, request: number, argument: Buffer | null) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'void *',
]);

const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_AUTOCLEAR = 4;
/** Somebody else may take the free device between the two calls. */
const ATTEMPTS = 32;

/**
 * Runs `work` with a block device that is the file at `path`. The device lives as long as it is in use: a mount made by `work`
 * keeps it, and with the mount it goes. Throws `SystemError`; ENOSYS-like before Linux 5.8.
 */
export function withLoopDevice<T>(
  path: PathArg,
  options: { readonly readOnly?: boolean },
  work: (device: string) => T,
): T {
  const readOnly = options.readOnly === true;
  const access = (readOnly ? O.RDONLY : O.RDWR) | O.CLOEXEC;
  const backing = openSync(path, access);
  try {
    const { fd, device } = attach(backing, path, readOnly);
    try {
      return work(device);
    } finally {
      closeSync(fd);
    }
  } finally {
    closeSync(backing);
  }
}

function attach(backing: number, path: PathArg, readOnly: boolean): { readonly fd: number; readonly device: string } {
  const control = openSync('/dev/loop-control', O.RDWR | O.CLOEXEC);
  try {
    for (let attempt = 1; ; attempt++) {
      const device = `/dev/loop${check(cIoctl(control, LOOP_CTL_GET_FREE, null), 'ioctl', 'loop-control')}`;
      const fd = openSync(device, (readOnly ? O.RDONLY : O.RDWR) | O.CLOEXEC);
      // struct loop_config: the file, a block size, then struct loop_info64 with its flags at 52.
      const config = Buffer.alloc(304);
      config.writeUInt32LE(backing, 0);
      config.writeUInt32LE(LO_FLAGS_AUTOCLEAR | (readOnly ? LO_FLAGS_READ_ONLY : 0), 8 + 52);
      if (cIoctl(fd, LOOP_CONFIGURE, config) === 0) return { fd, device };
      const errno = lastErrno();
      closeSync(fd);
      if (errno !== ERRNO.EBUSY || attempt === ATTEMPTS) throw new SystemError(errno, 'attach to a loop device', path);
    }
  } finally {
    closeSync(control);
  }
}
