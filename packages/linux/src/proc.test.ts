import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heedsSignal, parentPidOf } from './proc.ts';
import { SIGNALS } from './signals.ts';

test('heedsSignal() tells a handler from the default action', () => {
  assert.equal(heedsSignal(process.pid, SIGNALS.SIGALRM), false);
  const ignore = (): void => undefined;
  process.on('SIGALRM', ignore);
  try {
    assert.equal(heedsSignal(process.pid, SIGNALS.SIGALRM), true);
  } finally {
    process.removeListener('SIGALRM', ignore);
  }
  assert.equal(heedsSignal(2 ** 22 + 1, SIGNALS.SIGTERM), false, 'no such process');
});

test('parentPidOf() names the parent of a process that is there', () => {
  assert.equal(parentPidOf(process.pid), process.ppid);
  assert.equal(parentPidOf(2 ** 22 + 1), undefined, 'no such process');
});
