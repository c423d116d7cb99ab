import { chmodSync, lchownSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { lsetxattr } from '@wharf/linux/fsx';
import { type IdMapping, outsideId } from '@wharf/linux/user-namespace';
import type { TarEntry } from '../tar/entry.ts';
import { OVERLAY_XATTRS } from './whiteout.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

// The last number means "leave as it is" to chown(2).
const MAX_ID = 0xfffffffe;

/** The owner to give an entry, as the host knows the one of a user namespace with `ids`. Throws `data-loss` for ids the kernel cannot have. */
export function ownerOf(entry: TarEntry, override: Owner | undefined, ids?: IdMapping): Owner {
  const owner = override ?? checkedOwner(entry);
  return ids === undefined ? owner : { uid: outsideId(ids.uids, owner.uid), gid: outsideId(ids.gids, owner.gid) };
}

function checkedOwner(entry: TarEntry): Owner {
  const { uid, gid } = entry;
  if (uid < 0 || gid < 0 || uid > MAX_ID || gid > MAX_ID) {
    throw new WharfError(
      'data-loss',
      `Cannot unpack ${JSON.stringify(entry.name)}: owner ${uid}:${gid} is out of range`,
    );
  }
  return entry;
}

/** Owner, mode and xattrs of anything but an open file. Returns how many xattrs the file system would not take. */
export function applyMetadata(path: string | Buffer, entry: TarEntry, owner: Owner): number {
  lchownSync(path, owner.uid, owner.gid);
  // A symlink has no mode of its own, and chmod(2) would follow it.
  if (entry.type !== 'symlink') chmodSync(path, entry.mode);
  return applyXattrs(path, entry.xattrs);
}

/** Sets extended attributes; those the file system does not support are counted, not fatal. */
export function applyXattrs(path: string | Buffer, xattrs: ReadonlyMap<string, Buffer>): number {
  let skipped = 0;
  for (const [name, value] of xattrs) {
    if (name.startsWith(OVERLAY_XATTRS)) continue;
    try {
      lsetxattr(path, name, value);
    } catch (error) {
      if (!hasErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
      skipped++;
    }
  }
  return skipped;
}
