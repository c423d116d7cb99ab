import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SealedProgram } from './sealed-program.ts';
import { runTool } from './spawn.ts';

async function outputOf(path: string): Promise<string> {
  const { stdout } = await runTool({ path, argv: ['echo', 'hello'] });
  return stdout.toString();
}

test('SealedProgram runs as the program does, cannot be changed, and follows the program when that changes', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-sealed-'));
  try {
    const path = join(directory, 'echo');
    copyFileSync('/bin/echo', path);
    const program = new SealedProgram(path);
    const copy = program.path;
    assert.equal(await outputOf(copy), 'hello\n');
    if (copy !== path) {
      assert.throws(() => writeFileSync(openSync(copy, 'r+'), 'x'), { code: 'EPERM' });
      assert.deepEqual(readFileSync(copy), readFileSync(path));
    }
    assert.equal(program.path, copy);
    rmSync(path);
    copyFileSync('/bin/true', path);
    assert.equal(await outputOf(program.path), '');
    program.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('SealedProgram leaves scripts where they are', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-sealed-'));
  try {
    const path = join(directory, 'script');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o755);
    assert.equal(new SealedProgram(path).path, path);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
