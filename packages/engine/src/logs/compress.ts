import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import { seekData } from '@wharf/linux/fsx';

/** What stood before was given back while no daemon ran: its zeros are not kept. */
async function firstByteOf(path: string): Promise<number> {
  const handle = await open(path, 'r');
  try {
    return seekData(handle.fd, 0) ?? 0;
  } finally {
    await handle.close();
  }
}

/** Makes `path.gz` of `path`, whole or not at all. */
export async function compress(path: string): Promise<void> {
  const temporary = `${path}.tmp-gz`;
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 });
  const source = createReadStream(path, { highWaterMark: 256 * 1024, start: await firstByteOf(path) });
  await pipeline(source, gzip, createWriteStream(temporary, { mode: 0o640 }));
  await rename(temporary, `${path}.gz`);
  await rm(path, { force: true });
}
