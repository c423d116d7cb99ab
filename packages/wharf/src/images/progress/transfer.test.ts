import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit/errors';
import { dockerLine } from './docker-lines.ts';
import { throwIfFailed, withLoginHint } from './message.ts';
import { Transfer } from './transfer.ts';
import { bar, doneLine, transferLine } from './transfer-line.ts';

const LAYER = (id: string, status: string, current = 0, total = 0) => ({
  id,
  status,
  ...(total > 0 ? { progressDetail: { current, total } } : { progressDetail: {} }),
});

test('dockerLine() prints changes of state and no counts', () => {
  assert.equal(dockerLine({ status: 'Pulling from x', id: 'latest' }), 'latest: Pulling from x\n');
  assert.equal(dockerLine(LAYER('a', 'Downloading', 1, 2)), undefined);
  assert.equal(dockerLine(LAYER('a', 'Pull complete')), 'a: Pull complete\n');
  assert.equal(dockerLine({ stream: 'Loaded image: x\n' }), 'Loaded image: x\n');
  assert.equal(dockerLine({ status: 'Extracting', id: 'a', progress: '[=>]' }), 'a: Extracting [=>]');
});

test('a transfer sums up its layers: bytes, speed, what is done, what is left to unpack', () => {
  const transfer = new Transfer(0);
  transfer.update({ status: 'Pulling from library/x', id: 'latest' }, 0);
  for (const id of ['a', 'b', 'c']) transfer.update(LAYER(id, 'Pulling fs layer'), 0);
  transfer.update(LAYER('c', 'Already exists'), 0);
  transfer.update(LAYER('a', 'Downloading', 5e6, 10e6), 1000);
  transfer.update(LAYER('b', 'Downloading', 1e6, 2e6), 2000);
  assert.deepEqual(transfer.bytes, { current: 6e6, total: 12e6 });
  assert.deepEqual(transfer.layers, { done: 1, all: 3 });
  assert.equal(transfer.bytesPerSecond(2000), 3e6);
  assert.equal(
    transferLine(transfer, { name: 'x:latest', columns: 100, nowMs: 2000 }),
    'x:latest  ████████████░░░░░░░░░░░░  6MB/12MB  3MB/s  1/3 layers',
  );
  assert.equal(
    transferLine(transfer, { name: 'x:latest', columns: 40, nowMs: 2000 }),
    'x:latest  ████████████░░░░░░░░░░░░',
  );
  assert.equal(transferLine(transfer, { name: 'x:latest', columns: 6, nowMs: 2000 }), 'x:lat');
  for (const id of ['a', 'b']) transfer.update(LAYER(id, 'Download complete'), 3000);
  assert.ok(transfer.isUnpacking);
  for (const id of ['a', 'b']) transfer.update(LAYER(id, 'Pull complete'), 3000);
  transfer.update({ status: 'Digest: sha256:1' }, 3000);
  assert.deepEqual(transfer.notes, ['Digest: sha256:1']);
  assert.equal(doneLine(transfer, { name: 'x:latest', columns: 80, nowMs: 4000 }), '✔ x:latest  12MB  3 layers  4.0 s');
});

test('bar() is as wide as it is asked to be, in eighths', () => {
  assert.equal(bar(0, 4), '░░░░');
  assert.equal(bar(0.5, 4), '██░░');
  assert.equal(bar(0.53125, 4), '██▏░');
  assert.equal(bar(2, 4), '████');
});

test('a registry that refuses is said with what to do, other errors as they are', () => {
  const refused = new WharfError('unavailable', 'pull access denied for x');
  const hinted = withLoginHint(refused, 'r.example');
  assert.ok(hinted instanceof WharfError);
  assert.equal(hinted.message, refused.message);
  assert.match(hinted.hint ?? '', /`wharf login r\.example`/);
  const other = new WharfError('unavailable', 'no space left on device');
  assert.equal(withLoginHint(other, 'docker.io'), other);
  assert.throws(() => throwIfFailed({ error: 'e', errorDetail: { message: 'detail' } }), { message: 'detail' });
  assert.doesNotThrow(() => throwIfFailed({ status: 'fine' }));
});
