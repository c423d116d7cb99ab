import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barOf, pullEvent, pushEvent } from './image-progress.ts';

test('barOf() draws as docker does where there is no terminal', () => {
  assert.equal(barOf({}), '');
  assert.equal(barOf({ current: 1_500_000 }), '   1.5MB');
  assert.equal(barOf({ current: 5, total: 10 }), `[${'='.repeat(25)}>${' '.repeat(25)}]       5B/10B`);
  assert.equal(barOf({ current: 12, total: 10 }), `[${'='.repeat(50)}>]      12B`);
  assert.equal(barOf({ current: 1, units: 's' }), '1 s');
});

test('pullEvent() makes layers parts of their service', () => {
  assert.equal(pullEvent('web', { status: 'Pulling from library/busybox' }), undefined);
  const layer = { id: 'abc', status: 'Downloading', progressDetail: { current: 1, total: 4 } };
  assert.deepEqual(pullEvent('web', layer), {
    ...{ id: 'abc', parentId: 'web', text: 'Downloading', status: 'working', current: 1, total: 4, percent: 25 },
    statusText: barOf({ current: 1, total: 4 }),
  });
  assert.equal(pullEvent('web', { ...layer, status: 'Pull complete' })?.status, 'done');
});

test('pushEvent() knows when a layer is there', () => {
  const event = (status: string) => pushEvent('me/app', { id: 'abc', status });
  assert.equal(event('Layer already exists')?.status, 'done');
  assert.deepEqual([event('Preparing')?.status, event('Preparing')?.id], ['working', 'Pushing me/app: abc']);
});
