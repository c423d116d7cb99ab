import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimeSlice } from './time-slice.ts';

test('TimeSlice lets others have their turn between long steps', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  const slice = new TimeSlice(0);
  for (const step of ['first', 'second']) {
    await slice.turn();
    order.push(step);
  }
  assert.deepEqual(order, ['other', 'first', 'second']);
});

test('TimeSlice goes on at once while the slice lasts', async () => {
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  const slice = new TimeSlice(60_000);
  for (const step of ['first', 'second']) {
    await slice.turn();
    order.push(step);
  }
  assert.deepEqual(order, ['first', 'second']);
});
