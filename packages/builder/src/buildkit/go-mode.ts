import { S } from '@wharf/linux/fsx';
import { GO } from './diff-copy.ts';

/** A file's mode as Go's os.FileMode has it. */
export function goMode(mode: number): number {
  const kinds: Readonly<Record<number, number>> = {
    ...{ [S.IFDIR]: GO.DIR, [S.IFLNK]: GO.SYMLINK, [S.IFIFO]: GO.PIPE, [S.IFSOCK]: GO.SOCKET },
    ...{ [S.IFBLK]: GO.DEVICE, [S.IFCHR]: GO.DEVICE + GO.CHAR_DEVICE },
  };
  const special = (mode & 0o4000 ? GO.SETUID : 0) + (mode & 0o2000 ? GO.SETGID : 0) + (mode & 0o1000 ? GO.STICKY : 0);
  return (kinds[mode & S.IFMT] ?? 0) + special + (mode & 0o777);
}
