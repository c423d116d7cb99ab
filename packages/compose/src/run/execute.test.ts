import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Step } from '../plan/steps.ts';
import { execute } from './execute.ts';

const step = (id: string, ...needs: readonly string[]): Step => ({
  kind: 'delay',
  service: '',
  ms: 0,
  id,
  reason: '',
  needs,
});

test('execute() begins a step as soon as those it needs are over, and not before', async () => {
  const log: string[] = [];
  const gates = new Map(['a', 'b', 'c'].map((id) => [id, Promise.withResolvers<void>()]));
  const running = execute([step('a'), step('b'), step('c', 'a'), step('d', 'b', 'c')], {
    run: async ({ id }) => {
      log.push(`+${id}`);
      await gates.get(id)?.promise;
      log.push(`-${id}`);
    },
  });
  assert.deepEqual(log, ['+a', '+b']);
  gates.get('a')?.resolve();
  await new Promise(setImmediate);
  assert.deepEqual(log, ['+a', '+b', '-a', '+c']);
  gates.get('c')?.resolve();
  gates.get('b')?.resolve();
  await running;
  assert.deepEqual(log.slice(-2), ['+d', '-d']);
  assert.equal(log.filter((line) => line === '+d').length, 1);
});

test('execute() begins nothing after a failure, tells what waits, and lets the rest finish', async () => {
  const log: string[] = [];
  const slow = Promise.withResolvers<void>();
  const running = execute([step('bad'), step('slow'), step('wait'), step('after', 'slow')], {
    run: async ({ id }, signal) => {
      log.push(id);
      if (id === 'bad') throw new Error('no');
      if (id === 'slow') await slow.promise;
      if (id === 'wait')
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  await new Promise(setImmediate);
  slow.resolve();
  await assert.rejects(running, { message: 'no' });
  assert.deepEqual(log, ['bad', 'slow', 'wait']);
});

test("execute() throws the signal's reason when the caller gives up", async () => {
  const controller = new AbortController();
  const log: string[] = [];
  const running = execute([step('a'), step('b', 'a')], {
    signal: controller.signal,
    run: async ({ id }) => {
      log.push(id);
      controller.abort(new Error('enough'));
    },
  });
  await assert.rejects(running, { message: 'enough' });
  assert.deepEqual(log, ['a']);
});
