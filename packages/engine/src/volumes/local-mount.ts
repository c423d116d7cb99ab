import { statSync } from 'node:fs';
import { withLoopDevice } from '@wharf/linux/loop-device';
import { MS, mount } from '@wharf/linux/mount';
import { parseMountOptions } from './driver-options.ts';

/** Mounts a volume's device over its data directory, with mount(8)'s option words. */
export function mountLocal(what: {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}): void {
  const { flags, propagation, data, loop } = parseMountOptions(what.options);
  const { source, target, type } = what;
  const make = (device: string) => mount({ source: device, target, type, flags, ...(data === '' ? {} : { data }) });
  // mount(8) does the same unasked; dockerd, which calls the kernel, has to be given a device.
  if (loop || isDiskImage(source, type, flags)) {
    withLoopDevice(source, { readOnly: (flags & MS.RDONLY) !== 0 }, make);
  } else make(source);
  // A bind takes no other flags in its first call (mount(2), "Creating a bind mount").
  const kept = flags & ~(MS.BIND | MS.REC);
  if ((flags & MS.BIND) !== 0 && kept !== 0) {
    mount({ source: 'none', target, type: 'none', flags: MS.BIND | MS.REMOUNT | kept });
  }
  if (propagation !== 0) mount({ source: 'none', target, type: 'none', flags: propagation });
}

/** Filesystems that live on a block device. */
const ON_DEVICES = new Set(['ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'squashfs', 'erofs', 'iso9660', 'vfat', 'f2fs']);

function isDiskImage(source: string, type: string, flags: number): boolean {
  if ((flags & MS.BIND) !== 0 || !ON_DEVICES.has(type)) return false;
  return statSync(source, { throwIfNoEntry: false })?.isFile() === true;
}
