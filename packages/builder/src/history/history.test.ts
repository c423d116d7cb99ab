import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Clock, isKind, type Logger } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import { openContentStore } from '@wharf/oci/content/fs-store';
import { openMemoryStore } from '@wharf/store';
import { parseFilters } from './filter.ts';
import { BuildHistory } from './history.ts';
import { type BuildRecord, statusOf } from './record.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wharf-history-'));
});
after(() => rm(root, { recursive: true, force: true }));

let stores = 0;
let nowMs = 1_700_000_000_000;
const clock: Clock = { nowNs: () => BigInt(nowMs) * 1_000_000n, sleep: () => Promise.resolve() };
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;

async function historyOf(limits?: { readonly entries: number; readonly ageMs: number }) {
  stores += 1;
  const content = await openContentStore({ root: join(root, String(stores)) });
  const store = openMemoryStore();
  const open = () =>
    new BuildHistory({ store, content, clock, log: quiet, ...(limits === undefined ? {} : { limits }) });
  return { content, open, history: open() };
}

const build = (ref: string) => ({ ref, frontend: '', attrs: { filename: 'Dockerfile' }, exporters: [] });

function endWith(history: BuildHistory, ref: string, text: string, error?: BuildRecord['error']): void {
  history.end(ref, async (keep) => ({
    logs: await keep([Buffer.from(text)], { mediaType: 'text/plain' }),
    ...(error === undefined ? {} : { error }),
  }));
}

async function digestsIn(content: ContentStore): Promise<number> {
  let count = 0;
  for await (const _ of content.list()) count += 1;
  return count;
}

test('A build is running until it ended, and then has its log', async () => {
  const { history } = await historyOf();
  history.begin(build('a'));
  const running = await history.find('a');
  assert.equal(running && statusOf(running), 'running');
  nowMs += 1500;
  endWith(history, 'a', 'log of a');
  const done = await history.find('a');
  assert.equal(done && statusOf(done), 'completed');
  assert.equal(done?.completedAt, (done?.createdAt ?? 0) + 1500);
  assert.equal(done?.logs && (await history.content.read(done.logs.digest)).toString(), 'log of a');
});

test('recover() marks what a crash interrupted and removes documents of no record', async () => {
  const { history, content, open } = await historyOf();
  history.begin(build('gone'));
  history.begin(build('done'));
  endWith(history, 'done', 'kept');
  await history.find('done');
  await content.put(Buffer.from('orphan'));
  const next = open();
  await next.recover();
  const gone = await next.find('gone');
  assert.equal(gone && statusOf(gone), 'error');
  assert.match(gone?.error?.message ?? '', /the daemon ended/);
  assert.equal(await digestsIn(content), 1);
});

test('delete() keeps documents that another record has too, and refuses a running build', async () => {
  const { history, content } = await historyOf();
  for (const ref of ['a', 'b']) {
    history.begin(build(ref));
    endWith(history, ref, 'the same');
  }
  await history.delete('a');
  assert.equal(await history.find('a'), undefined);
  assert.equal(await digestsIn(content), 1);
  await history.delete('b');
  assert.equal(await digestsIn(content), 0);
  await history.delete('never was');
  history.begin(build('c'));
  await assert.rejects(history.delete('c'), (error) => isKind(error, 'failed-precondition'));
});

test('A record goes when enough newer ones are there and it is old, but not when it is pinned', async () => {
  const { history } = await historyOf({ entries: 2, ageMs: 10_000 });
  for (const ref of ['pinned', 'old', 'kept', 'kept-too']) {
    nowMs += 1000;
    history.begin(build(ref));
    endWith(history, ref, ref);
    await history.find(ref);
    if (ref === 'pinned') await history.pin('pinned', true);
  }
  assert.equal((await history.list()).length, 4);
  nowMs += 20_000;
  history.begin(build('new'));
  endWith(history, 'new', 'new');
  assert.deepEqual(
    (await history.list()).map(({ ref }) => ref),
    ['new', 'kept-too', 'pinned'],
  );
});

test('follow() tells of what begins, ends and is deleted', async () => {
  const { history } = await historyOf();
  const stop = new AbortController();
  const events = history.follow(stop.signal);
  history.begin(build('a'));
  endWith(history, 'a', 'x');
  await history.delete('a');
  stop.abort();
  const kinds: string[] = [];
  for await (const { kind } of events) kinds.push(kind);
  assert.deepEqual(kinds, ['started', 'complete', 'deleted']);
});

test('parseFilters() joins conditions by commas, filters by or, and knows times and states', async () => {
  const { history } = await historyOf();
  const start = nowMs;
  for (const [ref, error] of [
    ['ok', undefined],
    ['bad', { code: 2, message: 'no' }],
  ] as const) {
    history.begin(build(ref));
    nowMs += ref === 'ok' ? 500 : 5000;
    endWith(history, ref, ref, error);
    await history.find(ref);
  }
  const records = await history.list();
  const found = (...filters: readonly string[]) =>
    records
      .filter(parseFilters(filters, nowMs))
      .map(({ ref }) => ref)
      .sort();
  assert.deepEqual(found(), ['bad', 'ok']);
  assert.deepEqual(found('status==error'), ['bad']);
  assert.deepEqual(found('status!=error'), ['ok']);
  assert.deepEqual(found('ref~=o'), ['ok']);
  assert.deepEqual(found('duration>1s'), ['bad']);
  assert.deepEqual(found('duration>1s,ref==ok'), []);
  assert.deepEqual(found('ref==ok', 'ref==bad'), ['bad', 'ok']);
  assert.deepEqual(found(`startedAt<=${new Date(start).toISOString()}`), ['ok']);
  assert.deepEqual(found('startedAt>5200ms'), ['bad']);
  for (const wrong of ['size>1', 'ref<a', 'nonsense', 'duration==1s']) {
    assert.throws(
      () => parseFilters([wrong], nowMs),
      (error) => isKind(error, 'invalid-argument'),
    );
  }
});
