import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { endThread } from './thread.ts';

const module = (name: string) => import.meta.resolve(name);
/** A thread that makes foreign calls without end. */
const BUSY = `
import { endWhenTold } from '${module('./thread.ts')}';
import { isMountPoint } from '${module('./mount.ts')}';
endWhenTold();
const call = () => { isMountPoint('/proc'); setImmediate(call); };
call();
`;

test('endThread() ends threads that are just loading, and those in the midst of foreign calls', async () => {
  const source = new URL(`data:text/javascript,${encodeURIComponent(BUSY)}`);
  for (let round = 0; round < 8; round += 1) {
    const worker = new Worker(source);
    const ended = new Promise<number>((resolve) => worker.once('exit', resolve));
    if (round % 2 === 1) await new Promise((resolve) => worker.once('online', resolve));
    await endThread(worker);
    assert.equal(await ended, 0);
  }
});
