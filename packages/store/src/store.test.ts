import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { isKind } from '@wharf/kit';
import { openMemoryStore, openStore } from './index.ts';
import { CHECKPOINT_WAL_BYTES } from './limits.ts';
import { storeTests } from './testsuite.ts';

const root = mkdtempSync(join(tmpdir(), 'wharf-store-'));
after(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const freshPath = () => {
  count += 1;
  return join(root, `${count}`, 'wharf.db');
};

storeTests('openMemoryStore()', openMemoryStore);
storeTests('openStore()', () => openStore({ path: freshPath() }));

test('openStore() finds everything again after close, revisions go on', async () => {
  const path = freshPath();
  const first = openStore({ path });
  first.table<number>('t').put('a', 1);
  await first.committed();
  first.table<number>('t').put('b', 2);
  const last = first.table<number>('t').put('gone', 3);
  first.table<number>('t').delete('gone');
  first.close();
  first.close();
  const second = openStore({ path });
  assert.deepEqual(
    second
      .table<number>('t')
      .list()
      .map(({ key, value }) => [key, value]),
    [
      ['a', 1],
      ['b', 2],
    ],
  );
  assert.ok(second.table<number>('t').put('c', 1) > last);
  second.close();
});

test('openStore() finds its logs again, trimmed ones too', async () => {
  const path = freshPath();
  const first = openStore({ path });
  for (let i = 1; i <= 5; i += 1) first.log<number>('l').append(i);
  first.log<number>('l').trim(3);
  first.log<number>('empty').append(1);
  first.log<number>('empty').trim(1);
  first.close();
  const second = openStore({ path });
  assert.deepEqual(second.log<number>('l').read(), [
    { number: 4, value: 4 },
    { number: 5, value: 5 },
  ]);
  assert.equal(second.log<number>('empty').append(2), 2);
  second.close();
});

test('openStore() refuses a database that is open already', () => {
  const path = freshPath();
  const store = openStore({ path });
  assert.throws(
    () => openStore({ path, lockWaitMs: 1 }),
    (error) => isKind(error, 'failed-precondition') && error.message.includes('another process is using it'),
  );
  store.table<number>('t').put('a', 1);
  store.close();
  openStore({ path }).close();
});

test('openStore() refuses a foreign, a newer and a damaged database', () => {
  const foreign = freshPath();
  openStore({ path: foreign }).close();
  const other = `${foreign}.other`;
  const database = new DatabaseSync(other);
  database.exec('CREATE TABLE theirs (x)');
  database.close();
  assert.throws(() => openStore({ path: other }), /database of another program/);
  const newer = new DatabaseSync(foreign);
  newer.exec("INSERT INTO migrations VALUES (99, 'later', '')");
  newer.close();
  assert.throws(() => openStore({ path: foreign }), /version 99/);
  const damaged = `${foreign}.damaged`;
  writeFileSync(damaged, 'this is no database at all, but long enough to be looked at '.repeat(100));
  assert.throws(
    () => openStore({ path: damaged }),
    (error) => isKind(error, 'data-loss'),
  );
});

test('openStore() has everything acknowledged after kill -9 of the writer', async () => {
  const path = freshPath();
  const script = join(root, 'writer.ts');
  writeFileSync(
    script,
    `import { openStore } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
     const store = openStore({ path: process.argv[2] ?? '' });
     const table = store.table('t');
     for (let i = 0; ; i += 1) {
       store.transaction(() => { table.put('k' + i, { i, pad: 'x'.repeat(500) }); table.put('last', { i }); });
       if (i % 3 === 0) { await store.committed(); process.stdout.write(i + '\\n'); }
     }`,
  );
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged >= 60 + round * 17) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const store = openStore({ path });
    const table = store.table<{ i: number }>('t');
    const last = table.get('last')?.i ?? -1;
    assert.ok(last >= acknowledged, `acknowledged ${acknowledged}, found ${last}`);
    for (let i = 0; i <= last; i += 1) assert.equal(table.get(`k${i}`)?.i, i);
    store.close();
  }
});

test('openStore() lets a worker shorten a long log while writes go on', async () => {
  const path = freshPath();
  const store = openStore({ path });
  const table = store.table<string>('t');
  for (let i = 0; i < 40; i += 1) {
    table.put(`k${i}`, `${i}`.padEnd(1_000_000, 'x'));
    await store.committed();
  }
  store.close();
  const again = openStore({ path });
  assert.equal(again.table<string>('t').list().length, 40);
  again.close();
});

test('openStore() begins its write-ahead log anew, and copies it only when there is much in it', async () => {
  const path = freshPath();
  const store = openStore({ path });
  const table = store.table<string>('t');
  let count = 0;
  const write = async (bytes: number) => {
    count += 1;
    table.put(`k${bytes}`, String.fromCharCode(97 + (count % 26)).repeat(bytes));
    await store.committed();
  };
  for (let group = 0; group < 150; group += 1) await write(1024 * 1024);
  const wal = statSync(`${path}-wal`).size;
  assert.ok(wal < 100 * 1024 * 1024, `the log has ${wal} bytes after 150 MiB`);
  assert.ok(wal > CHECKPOINT_WAL_BYTES);
  // The log's file stays as long as it was: a group that finds it so is no reason for a thread.
  let threads = 0;
  const onThread = () => {
    threads += 1;
  };
  subscribe('worker_threads', onThread);
  for (let group = 0; group < 500; group += 1) await write(10);
  unsubscribe('worker_threads', onThread);
  assert.ok(threads <= 1, `${threads} threads for 500 small groups`);
  store.close();
});
