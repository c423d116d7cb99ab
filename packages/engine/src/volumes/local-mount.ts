import { MS, mount } from '@wharf/linux/mount';
import { parseMountOptions } from './driver-options.ts';

/** Mounts a volume's device over its data directory, with mount(8)'s option words. */
export function mountLocal(what: {
  readonly source: string;
  readonly target: string;
  readonly type: string;
  readonly options: string;
}): void {
  const { flags, propagation, data } = parseMountOptions(what.options);
  const { source, target, type } = what;
  mount({ source, target, type, flags, ...(data === '' ? {} : { data }) });
  // A bind takes no other flags in its first call (mount(2), "Creating a bind mount").
  const kept = flags & ~(MS.BIND | MS.REC);
  if ((flags & MS.BIND) !== 0 && kept !== 0) {
    mount({ source: 'none', target, type: 'none', flags: MS.BIND | MS.REMOUNT | kept });
  }
  if (propagation !== 0) mount({ source: 'none', target, type: 'none', flags: propagation });
}
