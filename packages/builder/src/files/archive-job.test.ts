import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encodeTarHeader, TAR_END } from '@wharf/oci/tar/write';
import { isArchiveJob } from './archive-job.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-archive-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const tar = Buffer.concat([encodeTarHeader({ name: 'a', type: 'file' }), TAR_END]);

const files: readonly (readonly [string, Buffer, boolean])[] = [
  ['a.tar.gz', gzipSync(tar), true],
  ['a.tar.zst', zstdCompressSync(tar), true],
  ['text.gz', gzipSync('some text\n'.repeat(200)), false],
  ['short.gz', gzipSync('short'), false],
  ['cut.gz', gzipSync(tar).subarray(0, 12), false],
  ['twice.gz', gzipSync(gzipSync(tar)), false],
  ['broken.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4, 1, 2, 3]), false],
];

for (const [name, bytes, expected] of files) {
  test(`isArchiveJob() says ${expected} of ${name}`, async () => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    assert.equal(await isArchiveJob({ path }), expected);
  });
}

test('isArchiveJob() looks through xz', async () => {
  const path = join(directory, 'a.tar.xz');
  writeFileSync(path, execFileSync('xz', ['-c'], { input: tar }));
  assert.equal(await isArchiveJob({ path }), true);
});
