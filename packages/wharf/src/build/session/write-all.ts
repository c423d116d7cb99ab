import { writeSync } from 'node:fs';

/** write(2) may take less than it is given. */
export function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
}
