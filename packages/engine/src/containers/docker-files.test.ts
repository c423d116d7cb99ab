import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { placeDockerFiles } from './docker-files.ts';

function emptyRoot(t: TestContext): { readonly outside: string; readonly rootfs: string } {
  const outside = mkdtempSync(join(tmpdir(), 'wharf-root-'));
  t.after(() => rmSync(outside, { recursive: true }));
  const rootfs = join(outside, 'a', 'root');
  mkdirSync(rootfs, { recursive: true });
  return { outside, rootfs };
}

test('placeDockerFiles() makes what is missing, as often as it is asked', (t) => {
  const { rootfs } = emptyRoot(t);
  placeDockerFiles(rootfs);
  placeDockerFiles(rootfs);
  assert.deepEqual(readdirSync(rootfs).sort(), ['.dockerenv', 'etc']);
  assert.equal(readlinkSync(join(rootfs, 'etc', 'mtab')), '/proc/mounts');
});

test('placeDockerFiles() follows a link of the image inside of the root only', (t) => {
  const { outside, rootfs } = emptyRoot(t);
  mkdirSync(join(outside, 'victim'));
  symlinkSync('../../victim', join(rootfs, 'etc'));
  symlinkSync(join(outside, 'planted'), join(rootfs, '.dockerenv'));
  placeDockerFiles(rootfs);
  assert.deepEqual(readdirSync(join(outside, 'victim')), []);
  assert.deepEqual(readdirSync(outside).sort(), ['a', 'victim']);
  mkdirSync(join(rootfs, 'victim'));
  placeDockerFiles(rootfs);
  assert.deepEqual(readdirSync(join(rootfs, 'victim')), ['mtab']);
});

test('placeDockerFiles() leaves an image alone that has no room for them', (t) => {
  const { rootfs } = emptyRoot(t);
  writeFileSync(join(rootfs, 'etc'), '');
  placeDockerFiles(rootfs);
  assert.deepEqual(readdirSync(rootfs).sort(), ['.dockerenv', 'etc']);
});
