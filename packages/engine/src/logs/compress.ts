import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';

/** Makes `path.gz` of what `path` holds from `start` on, whole or not at all. */
export async function compress(path: string, start: number): Promise<void> {
  const temporary = `${path}.tmp-gz`;
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 });
  const source = createReadStream(path, { highWaterMark: 256 * 1024, start });
  await pipeline(source, gzip, createWriteStream(temporary, { mode: 0o640 }));
  await rename(temporary, `${path}.gz`);
  await rm(path, { force: true });
}
