import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hasErrno, WharfError } from '@wharf/kit';
import { claimExecRoot, makeRoot } from './roots.ts';
import { startFailure } from './start-failure.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-roots-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('makeRoot() makes all that is missing, and leaves what is there', () => {
  const path = join(directory, 'a/b/c');
  makeRoot(path, 0o710);
  makeRoot(path, 0o700);
  assert.equal(statSync(path).mode & 0o777, 0o710);
});

test('makeRoot() refuses a file, and comes back where nothing can be made', () => {
  writeFileSync(join(directory, 'file'), '');
  assert.throws(() => makeRoot(join(directory, 'file'), 0o700), /a file is in its place/);
  assert.throws(() => makeRoot(join(directory, 'file/below'), 0o700), /a file is in its place/);
  assert.throws(
    () => makeRoot('/proc/nothing', 0o700),
    (error) => hasErrno(error, 'ENOENT', 'EACCES', 'EPERM'),
  );
});

test('startFailure() tells system errors with their cure, and takes the rest for bugs', () => {
  const readOnly = Object.assign(new Error("EROFS: read-only file system, mkdir '/x'"), { code: 'EROFS' });
  assert.match(startFailure(readOnly)?.message ?? '', /Cannot start the daemon: EROFS/);
  assert.match(startFailure(readOnly)?.hint ?? '', /writable/);
  const own = new WharfError('conflict', 'No');
  assert.equal(startFailure(new SuppressedError(new TypeError('clean-up'), own)), own);
  assert.equal(startFailure(new TypeError('bug')), undefined);
  assert.equal(startFailure(Object.assign(new TypeError('bug'), { code: 'ERR_INVALID_ARG_TYPE' })), undefined);
});

test('claimExecRoot() refuses the exec root of another data root while containers run there', () => {
  const [exec, one, two] = ['exec', 'one', 'two'].map((name) => join(directory, name)) as [string, string, string];
  for (const path of [exec, one, two]) makeRoot(path, 0o700);
  writeFileSync(join(one, 'wharf.db'), '');
  claimExecRoot(exec, one);
  claimExecRoot(exec, one);
  mkdirSync(join(exec, 'containers/abc'), { recursive: true });
  assert.throws(() => claimExecRoot(exec, two), /containers of data root .*one" run there/);
  rmSync(join(exec, 'containers/abc'), { recursive: true });
  claimExecRoot(exec, two);
});
