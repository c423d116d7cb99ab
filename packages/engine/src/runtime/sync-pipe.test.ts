import assert from 'node:assert/strict';
import { closeSync, writeSync } from 'node:fs';
import test from 'node:test';
import { pipe } from '@wharf/linux/spawn';
import { parseSyncMessage, SyncPipe } from './sync-pipe.ts';

test('parseSyncMessage() reads a pid, an exit code, and a failure with its words', () => {
  assert.deepEqual(parseSyncMessage('{"data": 42}'), { data: 42, message: undefined });
  assert.deepEqual(parseSyncMessage('{"pid": 42}'), { data: 42, message: undefined });
  assert.deepEqual(parseSyncMessage('{"data": -1, "message": "no\\n"}'), { data: -1, message: 'no\n' });
});

test('parseSyncMessage() refuses what is not a message', () => {
  assert.throws(() => parseSyncMessage('nonsense'), /not JSON/);
  assert.throws(() => parseSyncMessage('{}'), /no number in it/);
});

test('SyncPipe next() gives messages in order, however they are cut, and then the end', async () => {
  const { readFd, writeFd } = pipe();
  const sync = new SyncPipe(readFd);
  writeSync(writeFd, '{"data": 1}\n{"da');
  const first = await sync.next();
  writeSync(writeFd, 'ta": 2}\n');
  const second = await sync.next();
  closeSync(writeFd);
  assert.deepEqual([first?.data, second?.data, await sync.next()], [1, 2, undefined]);
  sync.close();
});
