import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lgetxattr, llistxattr, lremovexattr, lsetxattr, lstatNs, mknod, S } from './fsx.ts';
import { bindMount, isMountPoint, listMounts, makePrivate, mount, mountOverlay, unmount } from './mount.ts';
import { CLONE, unshare } from './namespaces.ts';
import { temporaryDirectory } from './test-support.ts';

// A mount namespace of our own: nothing below is seen outside, and all of it ends with this process.
unshare(CLONE.FS | CLONE.NEWNS);
makePrivate('/', { recursive: true });

function scratch(): Disposable & { readonly path: string } {
  const directory = temporaryDirectory();
  mount({ source: 'test', target: directory.path, type: 'tmpfs' });
  return {
    path: directory.path,
    [Symbol.dispose]() {
      unmount(directory.path, { detach: true });
      directory[Symbol.dispose]();
    },
  };
}

test('mount() and unmount() are seen by isMountPoint() and listMounts()', () => {
  using directory = scratch();
  assert.equal(isMountPoint(directory.path), true);
  assert.equal(
    listMounts().some((entry) => entry.mountPoint === directory.path && entry.type === 'tmpfs'),
    true,
  );
  mkdirSync(join(directory.path, 'sub'));
  assert.equal(isMountPoint(join(directory.path, 'sub')), false);
  assert.equal(isMountPoint(join(directory.path, 'missing')), false);
  assert.throws(() => unmount(join(directory.path, 'sub')), { code: 'EINVAL', syscall: 'unmount' });
});

test('bindMount() read-only refuses writes, below it too when recursive', () => {
  using directory = scratch();
  const [source, target] = [join(directory.path, 'source'), join(directory.path, 'target')];
  mkdirSync(join(source, 'inner'), { recursive: true });
  mkdirSync(target);
  mount({ source: 'inner', target: join(source, 'inner'), type: 'tmpfs' });
  bindMount(source, target, { readOnly: true, recursive: true });
  assert.throws(() => writeFileSync(join(target, 'f'), ''), { code: 'EROFS' });
  assert.throws(() => writeFileSync(join(target, 'inner/f'), ''), { code: 'EROFS' });
  writeFileSync(join(source, 'inner/f'), '');
  unmount(target, { detach: true });
});

for (const layers of [1, 3, 130]) {
  test(`mountOverlay() stacks ${layers} layers with names that need escapes`, () => {
    using directory = scratch();
    const lowerDirs = Array.from({ length: layers }, (_, index) =>
      join(directory.path, `layer,${index}:of-a-rather-long-name\\`),
    );
    lowerDirs.forEach((layer, index) => {
      mkdirSync(layer);
      writeFileSync(join(layer, 'top'), String(index));
      writeFileSync(join(layer, `only-${index}`), '');
    });
    const [upperDir, workDir, target] = ['up,per', 'wo:rk', 'target'].map((name) => join(directory.path, name)) as [
      string,
      string,
      string,
    ];
    for (const path of [upperDir, workDir, target]) mkdirSync(path);
    mountOverlay({ lowerDirs, upperDir, workDir, target });
    assert.equal(readFileSync(join(target, 'top'), 'utf8'), '0');
    assert.equal(readdirSync(target).length, layers + 1);
    writeFileSync(join(target, 'new'), '');
    assert.deepEqual(readdirSync(upperDir), ['new']);
    unmount(target);
  });
}

test('mountOverlay() without an upper directory is read-only', () => {
  using directory = scratch();
  for (const name of ['a', 'b', 'target']) mkdirSync(join(directory.path, name));
  const target = join(directory.path, 'target');
  mountOverlay({ lowerDirs: [join(directory.path, 'a'), join(directory.path, 'b')], target });
  assert.throws(() => writeFileSync(join(target, 'f'), ''), { code: 'EROFS' });
  unmount(target);
  assert.throws(() => mountOverlay({ lowerDirs: [], target }), { code: 'EINVAL' });
});

test('mknod() makes devices with large numbers', () => {
  using directory = scratch();
  const path = join(directory.path, 'device');
  mknod(path, S.IFCHR | 0o600, 300, 70_000);
  const status = lstatNs(path);
  assert.equal(status.mode & S.IFMT, S.IFCHR);
  assert.deepEqual([status.rdevMajor, status.rdevMinor], [300, 70_000]);
});

test('lsetxattr() and its family keep bytes as they are', () => {
  using directory = scratch();
  const path = join(directory.path, 'f');
  writeFileSync(path, '');
  assert.deepEqual(llistxattr(path), []);
  lsetxattr(path, 'trusted.test', Buffer.of(0, 255, 10));
  assert.deepEqual(llistxattr(path), ['trusted.test']);
  assert.deepEqual(lgetxattr(path, 'trusted.test'), Buffer.of(0, 255, 10));
  lremovexattr(path, 'trusted.test');
  assert.equal(lgetxattr(path, 'trusted.test'), undefined);
  assert.throws(() => lremovexattr(path, 'trusted.test'), { code: 'ENODATA' });
});
