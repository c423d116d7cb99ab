import assert from 'node:assert/strict';
import test from 'node:test';
import { ExitWaiters } from './exit-waiters.ts';

test('exited() wakes those who wait for the end and not those who wait for the removal', async () => {
  const waiters = new ExitWaiters();
  const end = waiters.add({ removedOnly: false });
  const removal = waiters.add({ removedOnly: true });
  waiters.exited({ exitCode: 3 });
  assert.deepEqual(await end, { exitCode: 3 });
  assert.equal(waiters.count, 1);
  waiters.removed({ exitCode: 3 });
  assert.deepEqual(await removal, { exitCode: 3 });
  assert.equal(waiters.count, 0);
});

test('add() leaves the line when its signal aborts', async () => {
  const waiters = new ExitWaiters();
  const controller = new AbortController();
  const waiting = waiters.add({ removedOnly: false, signal: controller.signal });
  controller.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  assert.equal(waiters.count, 0);
});
