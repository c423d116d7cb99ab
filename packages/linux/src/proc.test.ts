import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heedsSignal } from './proc.ts';
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
