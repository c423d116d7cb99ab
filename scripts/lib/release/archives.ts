import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { must } from '../run.ts';

/** How hard a release is packed: `fast` for tests of it. */
export type Effort = 'fast' | 'small';

/** Everything below a directory as a tar in which only the content decides about the bytes: owners, order and times are fixed. */
export async function tarDirectory(directory: string, to: string, names: readonly string[] = ['.']): Promise<void> {
  const fixed = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${epoch()}`, '--format=gnu'];
  await must(['tar', ...fixed, '-C', directory, '-cf', to, ...names]);
}

/** The time that a release bears: that of SOURCE_DATE_EPOCH, or the start of time. */
function epoch(): number {
  return Number(process.env['SOURCE_DATE_EPOCH'] ?? 0);
}

export async function gzipFile(from: string, to: string, effort: Effort): Promise<void> {
  await pipeline(createReadStream(from), createGzip({ level: effort === 'fast' ? 1 : 9 }), createWriteStream(to));
}

export async function zstdFile(from: string, to: string, effort: Effort): Promise<void> {
  // On one thread: with helpers (ZSTD_c_nbWorkers) Node 26 ends the stream before the last of them is done.
  const params = { [constants.ZSTD_c_compressionLevel]: effort === 'fast' ? 1 : 12 };
  await pipeline(createReadStream(from), createZstdCompress({ params }), createWriteStream(to));
}

/** An archive of ar(5) in its common form, as dpkg reads it. */
export async function writeAr(
  to: string,
  members: readonly { readonly name: string; readonly path: string }[],
): Promise<void> {
  await using file = await open(to, 'w');
  await file.write('!<arch>\n');
  for (const { name, path } of members) {
    const size = statSync(path).size;
    const fields = [
      name.padEnd(16),
      String(epoch()).padEnd(12),
      '0'.padEnd(6),
      '0'.padEnd(6),
      '100644'.padEnd(8),
      String(size).padEnd(10),
    ];
    await file.write(`${fields.join('')}\`\n`);
    await file.write(readFileSync(path));
    if (size % 2 === 1) await file.write('\n');
  }
}
