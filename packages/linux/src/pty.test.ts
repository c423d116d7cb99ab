import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { isatty } from 'node:tty';
import { openPty, setWindowSize } from './pty.ts';

test('openPty() makes a terminal whose ends are joined and whose window has the size it is told', () => {
  const { master, slave } = openPty();
  try {
    assert.equal(isatty(slave), true);
    setWindowSize(master, { rows: 33, columns: 101 });
    const size = execFileSync('stty', ['size'], { stdio: [slave, 'pipe', 'inherit'], encoding: 'utf8' });
    assert.equal(size.trim(), '33 101');
    writeSync(slave, 'out');
    const buffer = Buffer.alloc(16);
    assert.equal(buffer.toString('latin1', 0, readSync(master, buffer)), 'out');
  } finally {
    closeSync(master);
    closeSync(slave);
  }
});
