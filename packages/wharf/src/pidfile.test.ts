import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readPidfile, removePidfile, writePidfile } from './pidfile.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-pidfile-'));
const path = join(directory, 'nested/wharfd.pid');
after(() => rmSync(directory, { recursive: true, force: true }));

test('writePidfile() takes over a file whose process is another program', () => {
  writePidfile(path);
  // Process 1 lives, but is no daemon of ours.
  writeFileSync(path, '1\n');
  assert.equal(readPidfile(path), undefined);
  writePidfile(path);
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
});

test('readPidfile() ignores what is not a number', () => {
  writeFileSync(path, 'garbage');
  assert.equal(readPidfile(path), undefined);
  assert.equal(readPidfile(join(directory, 'missing')), undefined);
});

test('removePidfile() leaves the file of another process', () => {
  writeFileSync(path, '1\n');
  removePidfile(path);
  assert.ok(existsSync(path));
  writePidfile(path);
  removePidfile(path);
  assert.ok(!existsSync(path));
  removePidfile(path);
});
