import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitError } from '../cli/errors.ts';
import { forEachContainer } from './many.ts';
import { containerPath } from './path.ts';

test('forEachContainer() prints names in the order given, whatever is done first, and joins what failed', async () => {
  const printed: string[] = [];
  const gates = new Map(['a', 'b', 'c', 'd'].map((name) => [name, Promise.withResolvers<void>()]));
  const doing = forEachContainer({
    names: [...gates.keys()],
    out: { line: (text?: string) => void printed.push(text ?? '') },
    act: (name) => gates.get(name)?.promise ?? Promise.resolve(),
    forgive: (error) => error instanceof Error && error.message === 'gone',
  });
  gates.get('d')?.resolve();
  gates.get('c')?.reject(new Error('gone'));
  gates.get('b')?.reject(new Error('no b'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(printed, []);
  gates.get('a')?.resolve();
  await assert.rejects(doing, (error) => error instanceof ExitError && error.status === 1 && error.message === 'no b');
  assert.deepEqual(printed, ['a', 'd']);
});

test('forEachContainer() does fifty at a time', async () => {
  let [running, most] = [0, 0];
  await forEachContainer({
    names: Array.from({ length: 120 }, (_, index) => `c${index}`),
    out: { line: () => undefined },
    act: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    },
  });
  assert.equal(most, 50);
});

test('containerPath() keeps names apart from the path, and refuses blank ones', () => {
  assert.equal(containerPath('web', '/stop'), '/containers/web/stop');
  assert.equal(containerPath(' web '), '/containers/web');
  assert.equal(containerPath('a?b#c/d', '/json'), '/containers/a%3Fb%23c/d/json');
  assert.throws(() => containerPath(' '), { message: 'invalid container name or ID: value is empty' });
});
