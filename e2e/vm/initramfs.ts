/** One file of an initramfs. */
interface ArchiveFile {
  readonly name: string;
  readonly data: Buffer;
  readonly mode: number;
}

const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

/**
 * A `newc` cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst), which is what the kernel unpacks before it starts
 * `/init`.
 */
export function packInitramfs(directories: readonly string[], files: readonly ArchiveFile[]): Buffer {
  const parts: Buffer[] = [];
  for (const name of directories) parts.push(entry(name, S_IFDIR | 0o755, Buffer.alloc(0)));
  for (const { name, data, mode } of files) parts.push(entry(name, S_IFREG | mode, data));
  parts.push(entry('TRAILER!!!', 0, Buffer.alloc(0)));
  return Buffer.concat(parts);
}

let inode = 0;

function entry(name: string, mode: number, data: Buffer): Buffer {
  inode += 1;
  const nameSize = Buffer.byteLength(name) + 1;
  // ino, mode, uid, gid, nlink, mtime, size, device and rdevice numbers, length of the name, checksum.
  const numbers = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, nameSize, 0];
  const head = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}${name}\0`;
  return Buffer.concat([padded(Buffer.from(head)), padded(data)]);
}

function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}
