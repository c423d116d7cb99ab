import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { makeWorkingDirectory } from './working-directory.ts';

test('makeWorkingDirectory() makes what is missing and follows links inside the root only', (context) => {
  const base = mkdtempSync(join(tmpdir(), 'wharf-workdir-'));
  context.after(() => rmSync(base, { recursive: true }));
  const root = join(base, 'root');
  mkdirSync(join(root, 'home'), { recursive: true });
  symlinkSync('/home', join(root, 'link'));
  symlinkSync('../../outside', join(root, 'out'));
  writeFileSync(join(root, 'file'), '');
  makeWorkingDirectory(root, '/link/a/b');
  assert.ok(statSync(join(root, 'home/a/b')).isDirectory());
  makeWorkingDirectory(root, '/out/a');
  makeWorkingDirectory(root, '/file/a');
  assert.ok(!existsSync(join(base, 'outside')));
  assert.ok(statSync(join(root, 'file')).isFile());
});
