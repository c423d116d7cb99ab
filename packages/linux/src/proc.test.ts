import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heedsSignal } from './proc.ts';
import { SIGNALS } from './signals.ts';

test('heedsSignal() tells a handler from the default action', () => {
  assert.equal(heedsSignal(process.pid, SIGNALS.SIGUSR2), false);
  const ignore = (): void => undefined;
  process.on('SIGUSR2', ignore);
  try {
    assert.equal(heedsSignal(process.pid, SIGNALS.SIGUSR2), true);
  } finally {
    process.removeListener('SIGUSR2', ignore);
  }
  assert.equal(heedsSignal(2 ** 22 + 1, SIGNALS.SIGTERM), false, 'no such process');
});
