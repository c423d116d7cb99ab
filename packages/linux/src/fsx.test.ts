import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  fallocate,
  fstatNs,
  lstatAtNs,
  lstatNs,
  lutimesNs,
  mkfifo,
  O,
  openat2,
  RESOLVE,
  S,
  seekData,
  statfs,
  syncfs,
} from './fsx.ts';
import { temporaryDirectory } from './test-support.ts';

test('lstatNs() agrees with node:fs', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'f');
  writeFileSync(path, 'twelve bytes', { mode: 0o640 });
  const ours = lstatNs(path);
  const theirs = lstatSync(path, { bigint: true });
  assert.deepEqual(
    {
      mode: ours.mode,
      size: ours.size,
      ino: ours.ino,
      nlink: ours.nlink,
      mtimeNs: ours.mtimeNs,
      blocks: ours.blocks,
      dev: ours.dev,
    },
    {
      mode: Number(theirs.mode),
      size: Number(theirs.size),
      ino: Number(theirs.ino),
      nlink: Number(theirs.nlink),
      mtimeNs: theirs.mtimeNs,
      blocks: Number(theirs.blocks),
      dev: theirs.dev,
    },
  );
});

test('lutimesNs() sets a symlink to the nanosecond, before 1970 too', () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'link');
  symlinkSync('nowhere', path);
  for (const mtimeNs of [1_234_567_890_123_456_789n, -1n]) {
    lutimesNs(path, { atimeNs: 0n, mtimeNs });
    assert.equal(lstatNs(path).mtimeNs, mtimeNs);
  }
});

test('openat2() keeps a path inside its root', () => {
  using directory = temporaryDirectory();
  mkdirSync(join(directory.path, 'etc'));
  writeFileSync(join(directory.path, 'etc/passwd'), 'inside');
  symlinkSync('/etc/passwd', join(directory.path, 'link'));
  symlinkSync('../../../etc/passwd', join(directory.path, 'up'));
  const root = openSync(directory.path, O.PATH | O.DIRECTORY);
  try {
    for (const name of ['link', 'up', '../../etc/passwd']) {
      const fd = openat2(root, name, { flags: O.RDONLY, resolve: RESOLVE.IN_ROOT });
      assert.equal(readFileSync(fd, 'utf8'), 'inside', name);
      closeSync(fd);
    }
    assert.throws(() => openat2(root, 'link', { flags: O.RDONLY, resolve: RESOLVE.NO_SYMLINKS }), { code: 'ELOOP' });
    assert.throws(() => openat2(root, 'missing', { flags: O.RDONLY, resolve: RESOLVE.IN_ROOT }), { code: 'ENOENT' });
    assert.equal(lstatAtNs(root, 'link').mode & S.IFMT, S.IFLNK);
  } finally {
    closeSync(root);
  }
});

test('mkfifo(), fallocate(), syncfs() and statfs() do their work', () => {
  using directory = temporaryDirectory();
  mkfifo(join(directory.path, 'fifo'), 0o600);
  assert.equal(lstatNs(join(directory.path, 'fifo')).mode, S.IFIFO | 0o600);
  const fd = openSync(join(directory.path, 'f'), 'w');
  fallocate(fd, 0, 0, 8192);
  assert.equal(fstatNs(fd).size, 8192);
  syncfs(fd);
  closeSync(fd);
  assert.ok(statfs(directory.path).totalBytes > 0);
});

test('paths with a zero byte inside are refused, byte paths are taken', () => {
  using directory = temporaryDirectory();
  assert.throws(() => lstatNs(`${directory.path}\0/x`), { code: 'EINVAL' });
  const name = Buffer.concat([Buffer.from(`${directory.path}/`), Buffer.of(0xff, 0xfe)]);
  mkfifo(name);
  assert.equal(lstatNs(name).mode & S.IFMT, S.IFIFO);
});

test('seekData() passes over holes, and finds nothing behind the last data', () => {
  using directory = temporaryDirectory();
  const fd = openSync(join(directory.path, 'sparse'), 'w+');
  try {
    ftruncateSync(fd, 1024 * 1024);
    writeSync(fd, 'x', 512 * 1024);
    assert.equal(seekData(fd, 0), 512 * 1024);
    assert.equal(seekData(fd, 512 * 1024), 512 * 1024);
    assert.equal(seekData(fd, 768 * 1024), undefined);
    assert.equal(seekData(fd, 2 * 1024 * 1024), undefined);
  } finally {
    closeSync(fd);
  }
});
