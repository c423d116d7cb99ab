import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnderWay } from './under-way.ts';

test('UnderWay.ended() waits for all that was begun, failing or not, and for what that begins', async () => {
  const underWay = new UnderWay();
  await underWay.ended(0);
  const [first, second, third] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  const seen: string[] = [];
  assert.ok(first && second && third);
  underWay.watch(first.promise).catch(() => seen.push('failed'));
  void underWay.watch(second.promise).then(() => underWay.watch(third.promise));
  const ended = underWay.ended(60_000).then(() => seen.push('ended'));
  first.reject(new Error('on purpose'));
  second.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(seen, ['failed']);
  third.resolve();
  await ended;
  assert.deepEqual(seen, ['failed', 'ended']);
});

test('UnderWay.ended() does not wait for ever', async () => {
  const underWay = new UnderWay();
  void underWay.watch(new Promise(() => undefined));
  await underWay.ended(1);
});

test('UnderWay.begin() is something that ends when its function is called', async () => {
  const underWay = new UnderWay();
  const end = underWay.begin();
  let isOver = false;
  const ended = underWay.ended(60_000).then(() => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false);
  end();
  await ended;
});
