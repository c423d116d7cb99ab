import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { currentDirectory } from './current-directory.ts';

test('currentDirectory() takes the name of PWD where it is another name of the same directory', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-cwd-'));
  t.after(() => rmSync(root, { recursive: true }));
  symlinkSync(process.cwd(), join(root, 'link'));
  assert.equal(currentDirectory({ PWD: join(root, 'link') }), join(root, 'link'));
  for (const pwd of [root, join(root, 'none'), 'link', undefined])
    assert.equal(currentDirectory({ PWD: pwd }), process.cwd());
});
