import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { abortable, anySignal, deadlineSignal, withDeadline } from './abort.ts';
import { Backoff, backoffDelayMs } from './backoff.ts';
import { isKind } from './errors.ts';
import { KeyedLock } from './keyed-lock.ts';
import { BoundedQueue } from './queue.ts';
import { Semaphore } from './semaphore.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

test('BoundedQueue gives items in order, refuses what is too much, and ends after close', async () => {
  const queue = new BoundedQueue<number>(2);
  assert.deepEqual([queue.push(1), queue.push(2), queue.push(3)], [true, true, false]);
  assert.equal(await queue.take(), 1);
  queue.close();
  assert.equal(queue.push(4), false);
  assert.deepEqual([await queue.take(), await queue.take()], [2, undefined]);
});

test('BoundedQueue.put() waits for room, heeds its signal, and fails once closed', async () => {
  const queue = new BoundedQueue<number>(1);
  await queue.put(1);
  const waiting = queue.put(2);
  const controller = new AbortController();
  const aborted = queue.put(3, { signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  assert.equal(await queue.take(), 1);
  await waiting;
  assert.equal(await queue.take(), 2);
  await queue.put(4);
  const late = queue.put(5);
  queue.close();
  await assert.rejects(late, (error) => isKind(error, 'aborted'));
});

test('BoundedQueue.close() with an error gives it to takers, after what is queued', async () => {
  const queue = new BoundedQueue<number>(4);
  const taker = queue.take();
  queue.push(1);
  queue.push(2);
  queue.close(new Error('broken'));
  assert.equal(await taker, 1);
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const item of queue) seen.push(item);
  }, /broken/);
  assert.deepEqual(seen, [2]);
});

test('BoundedQueue behaves as a bounded list', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 200 }),
      async (capacity, steps) => {
        const queue = new BoundedQueue<number>(capacity);
        const model: number[] = [];
        for (const [index, push] of steps.entries()) {
          if (push) {
            assert.equal(queue.push(index), model.length < capacity);
            if (model.length < capacity) model.push(index);
          } else if (model.length > 0) assert.equal(await queue.take(), model.shift());
          assert.equal(queue.length, model.length);
        }
      },
    ),
  );
});

test('Semaphore runs no more than its permits at a time, in order', async () => {
  const semaphore = new Semaphore(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  const work = (index: number) =>
    semaphore.run(async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(index);
      await tick();
      running -= 1;
    });
  await Promise.all([0, 1, 2, 3, 4, 5].map(work));
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([semaphore.free, semaphore.waiting], [2, 0]);
});

test('Semaphore lets an aborted waiter go without losing a permit', async () => {
  const semaphore = new Semaphore(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const holder = semaphore.run(() => promise);
  const controller = new AbortController();
  const waiter = semaphore.run(() => assert.fail('never'), { signal: controller.signal });
  controller.abort(new Error('left'));
  await assert.rejects(waiter, /left/);
  resolve();
  await holder;
  assert.equal(semaphore.free, 1);
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error('work'))),
    /work/,
  );
  assert.equal(semaphore.free, 1);
});

test('KeyedLock runs one holder per key at a time and forgets idle keys', async () => {
  const lock = new KeyedLock();
  const order: string[] = [];
  const work = (key: string, name: string) =>
    lock.run(key, async () => {
      order.push(`${name}+`);
      await tick();
      order.push(`${name}-`);
    });
  await Promise.all([work('a', '1'), work('a', '2'), work('b', '3')]);
  assert.ok(order.indexOf('1-') < order.indexOf('2+'));
  assert.ok(order.indexOf('3+') < order.indexOf('1-'));
  assert.equal(lock.isHeld('a'), false);
});

test('withDeadline() gives the result, the deadline, or the outer reason', async () => {
  assert.equal(await withDeadline({ ms: 1_000 }, async () => 5), 5);
  const never = () => new Promise<never>(() => {});
  await assert.rejects(
    withDeadline({ ms: 1, what: 'The test' }, never),
    (error) => isKind(error, 'deadline-exceeded') && error.message === 'The test did not end within 1 ms',
  );
  const controller = new AbortController();
  const running = withDeadline({ ms: 10_000, signal: controller.signal }, never);
  controller.abort(new Error('outer'));
  await assert.rejects(running, /outer/);
  await assert.rejects(withDeadline({ ms: 10_000, signal: AbortSignal.abort(new Error('before')) }, never), /before/);
});

test('anySignal() and abortable() follow the first abort', async () => {
  const controller = new AbortController();
  const signal = anySignal(undefined, controller.signal, new AbortController().signal);
  const waiting = abortable(signal, new Promise<never>(() => {}));
  controller.abort(new Error('first'));
  await assert.rejects(waiting, /first/);
  assert.equal(await abortable(undefined, Promise.resolve(1)), 1);
  const deadline = deadlineSignal(1);
  const hold = setTimeout(() => {}, 1_000);
  await new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()));
  clearTimeout(hold);
  assert.ok(isKind(deadline.reason, 'deadline-exceeded'));
});

test('Backoff grows to its cap and starts again', () => {
  const backoff = new Backoff({ firstMs: 100, maxMs: 1_000 });
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5].map(() => backoff.nextMs()),
    [100, 200, 400, 800, 1_000, 1_000],
  );
  assert.equal(backoff.attempt, 6);
  backoff.reset();
  assert.equal(backoff.nextMs(), 100);
  assert.equal(backoffDelayMs(0, { firstMs: 100, maxMs: 1_000, jitter: 0.5, random: () => 1 }), 50);
});
