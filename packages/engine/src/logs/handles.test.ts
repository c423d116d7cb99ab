import assert from 'node:assert/strict';
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { appendSpool, criRecord, makeRecord, openLog, readText, tempDirectory, until } from './test-support.ts';

/** Files below `root` that this process has open. */
function openBelow(root: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(root) ? [path] : [];
    } catch {
      return [];
    }
  });
}

for (const driver of ['json-file', 'local']) {
  test(`${driver}: streamTo() for a client that left before closes the files it opened`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    appendSpool(root, record, criRecord(1n, 'stdout', 'hello'));
    await readText(log);
    const before = openBelow(root).length;
    const gone = AbortSignal.abort();
    for (const follow of [true, false]) await readText(log, { follow, signal: gone });
    assert.equal(openBelow(root).length, before);
  });

  test(`${driver}: streamTo() closes its files when the client fails in the middle`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    appendSpool(root, record, criRecord(1n, 'stdout', 'hello'));
    await readText(log);
    const before = openBelow(root).length;
    const query = { stdout: true, stderr: true, follow: true, signal: new AbortController().signal };
    const format = { framed: false, timestamps: false, details: false };
    await assert.rejects(
      log.streamTo(query, format, () => Promise.reject(new Error('gone'))),
      /gone/,
    );
    assert.equal(openBelow(root).length, before);
  });
}

test('json-file: the log of a stopped container is read without keeping it open', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: {} });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  appendSpool(root, record, criRecord(1n, 'stdout', 'hello'));
  await log.finish();
  assert.equal(await readText(log), 'hello\n');
  assert.deepEqual(openBelow(root), []);
});

test('json-file: a compressed file that is broken fails the reader and is closed', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: { 'max-size': '1k', 'max-file': '3', compress: 'true' } });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  for (let i = 0; i < 20; i++) appendSpool(root, record, criRecord(BigInt(i), 'stdout', 'x'.repeat(100)));
  await log.finish();
  await until(() => existsSync(`${log.path}.1.gz`));
  writeFileSync(`${log.path}.1.gz`, 'no gzip at all');
  for (const tail of [undefined, 10]) {
    await assert.rejects(readText(log, tail === undefined ? {} : { tail }));
    await until(() => openBelow(root).length === 0);
  }
});
