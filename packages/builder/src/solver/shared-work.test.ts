import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SharedIo, SharedWork } from './shared-work.ts';

/** Somebody who wants work done, and work that ends when it is told to. */
function participant() {
  const abort = new AbortController();
  const heard: string[] = [];
  const io: SharedIo = { signal: abort.signal, output: (_, chunk) => heard.push(String(chunk)) };
  return { io, heard, leave: () => abort.abort(new Error('left')) };
}

function slowWork() {
  const end = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<SharedIo>();
  let runs = 0;
  const work = (io: SharedIo): Promise<string> => {
    runs += 1;
    begun.resolve(io);
    io.signal.addEventListener('abort', () => end.reject(io.signal.reason), { once: true });
    return end.promise;
  };
  return { work, end, begun: begun.promise, runs: () => runs };
}

test('SharedWork does the same work once, and lets everybody hear all of it', async () => {
  const shared = new SharedWork<string>();
  const { work, end, begun, runs } = slowWork();
  const [a, b] = [participant(), participant()];
  const first = shared.run('k', a.io, work);
  (await begun).output('stdout', Buffer.from('early'));
  const second = shared.run('k', b.io, work);
  (await begun).output('stdout', Buffer.from('late'));
  end.resolve('done');
  assert.deepEqual(await Promise.all([first, second]), [
    { value: 'done', isOwn: true },
    { value: 'done', isOwn: false },
  ]);
  assert.deepEqual([a.heard, b.heard, runs()], [['early', 'late'], ['early', 'late'], 1]);
});

test('SharedWork goes on when its beginner leaves, who waits for its end', async () => {
  const shared = new SharedWork<string>();
  const { work, end, begun } = slowWork();
  const [a, b] = [participant(), participant()];
  const first = shared.run('k', a.io, work);
  const { signal } = await begun;
  const second = shared.run('k', b.io, work);
  a.leave();
  let isFirstOver = false;
  const over = first.catch((error: unknown) => {
    isFirstOver = true;
    return error;
  });
  await Promise.resolve();
  assert.deepEqual([signal.aborted, isFirstOver], [false, false]);
  end.resolve('done');
  assert.equal((await second).value, 'done');
  assert.match(String(await over), /left/);
});

test('SharedWork stops when nobody wants it any more, and the next one begins anew', async () => {
  const shared = new SharedWork<string>();
  const { work, begun } = slowWork();
  const [a, b, c] = [participant(), participant(), participant()];
  const first = shared.run('k', a.io, work);
  const { signal } = await begun;
  const second = shared.run('k', b.io, work);
  b.leave();
  await assert.rejects(second, /left/);
  assert.equal(signal.aborted, false);
  a.leave();
  assert.equal(signal.aborted, true);
  const third = shared.run('k', c.io, () => Promise.resolve('anew'));
  await assert.rejects(first, /left/);
  assert.deepEqual(await third, { value: 'anew', isOwn: true });
});

test('SharedWork that fails after its beginner left is begun again; a failure of its own is everybody’s', async () => {
  const shared = new SharedWork<string>();
  const { work, end, begun } = slowWork();
  const [a, b, c] = [participant(), participant(), participant()];
  const first = shared.run('k', a.io, work);
  await begun;
  const second = shared.run('k', b.io, () => Promise.resolve('again'));
  a.leave();
  end.reject(new Error('the session is gone'));
  await assert.rejects(first, /left/);
  assert.deepEqual(await second, { value: 'again', isOwn: true });
  const failing = slowWork();
  const both = [shared.run('f', b.io, failing.work), shared.run('f', c.io, failing.work)];
  failing.end.reject(new Error('broken'));
  for (const each of both) await assert.rejects(each, /broken/);
});
