import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { appendSpool, criRecord, makeRecord, openLog, readText, tempDirectory, until } from './test-support.ts';

const T0 = 1_800_000_000_000_000_000n;

for (const driver of ['json-file', 'local']) {
  test(`${driver}: streamTo() sends lines of both streams, with timestamps, details and frames on demand`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: { labels: 'a', tag: 'x y' } }, { Labels: { a: '1', b: '2' } });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    appendSpool(root, record, criRecord(T0, 'stdout', 'one') + criRecord(T0 + 120n, 'stderr', 'two'));
    assert.equal(await readText(log), 'one\ntwo\n');
    assert.equal(await readText(log, { stdout: false }), 'two\n');
    assert.equal(
      await readText(log, {}, { timestamps: true, details: true }),
      '2027-01-15T08:00:00.000000000Z a=1,tag=x+y one\n2027-01-15T08:00:00.000000120Z a=1,tag=x+y two\n',
    );
    assert.equal(await readText(log, { stderr: false }, { framed: true }), '\u0001\0\0\0\0\0\0\u0004one\n');
  });

  test(`${driver}: since and until are exact to the nanosecond and include their bounds`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    const lines = [0n, 1n, 2n, 3n].map((n) => criRecord(T0 + n, 'stdout', String(n)));
    appendSpool(root, record, lines.join(''));
    assert.equal(await readText(log, { sinceNs: T0 + 1n, untilNs: T0 + 2n }), '1\n2\n');
    assert.equal(await readText(log, { sinceNs: T0 + 3n }), '3\n');
    assert.equal(await readText(log, { tail: 2 }), '2\n3\n');
    assert.equal(await readText(log, { tail: 0 }), '');
  });

  test(`${driver}: follow ends after the last byte of the run and spans writes`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    const followed = readText(log, { follow: true });
    for (let i = 0; i < 20; i++) {
      const text = criRecord(T0 + BigInt(i), 'stdout', `line ${i}`);
      appendSpool(root, record, text);
      log.notify(text.length);
      await new Promise((resolve) => setTimeout(resolve, i % 5));
    }
    appendSpool(root, record, criRecord(T0 + 100n, 'stdout', 'no newline', true));
    await log.finish();
    assert.equal(await followed, `${Array.from({ length: 20 }, (_, i) => `line ${i}\n`).join('')}no newline`);
  });

  test(`${driver}: follow with until ends when that time passes`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    const now = BigInt(Date.now()) * 1_000_000n;
    appendSpool(root, record, criRecord(now, 'stdout', 'early'));
    assert.equal(await readText(log, { follow: true, untilNs: now + 300_000_000n }), 'early\n');
    await log.finish();
  });

  test(`${driver}: an aborted follow ends quietly`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: driver, Config: {} });
    const log = openLog(root, record);
    t.after(() => log.remove());
    await log.prepare();
    appendSpool(root, record, criRecord(T0, 'stdout', 'x'));
    const stop = new AbortController();
    const followed = readText(log, { follow: true, signal: stop.signal }, {}, () => stop.abort());
    assert.equal(await followed, 'x\n');
    await log.finish();
  });
}

test('json-file: writes the bytes dockerd writes', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: { env: 'A' } }, { Env: ['A=b"c'] });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  appendSpool(
    root,
    record,
    criRecord(T0 + 1_500_000n, 'stdout', 'tab\there "q" \\ <&> é \u2028 \u0001') +
      criRecord(T0, 'stderr', 'par', true) +
      criRecord(T0 + 9n, 'stdout', '') +
      criRecord(T0 + 10n, 'stderr', 'tial'),
  );
  await log.finish();
  const attrs = '"attrs":{"A":"b\\"c"}';
  assert.equal(
    readFileSync(log.path, 'utf8'),
    `{"log":"tab\\u0009here \\"q\\" \\\\ \\u003c\\u0026\\u003e é \\u2028 \\u0001\\n","stream":"stdout",${attrs},"time":"2027-01-15T08:00:00.0015Z"}\n` +
      `{"log":"\\n","stream":"stdout",${attrs},"time":"2027-01-15T08:00:00.000000009Z"}\n` +
      `{"log":"partial\\n","stream":"stderr",${attrs},"time":"2027-01-15T08:00:00Z"}\n`,
  );
  assert.equal(await readText(log), 'tab\there "q" \\ <&> é \u2028 \u0001\n\npartial\n');
});

test('json-file: lines above 16 KiB are split, never inside a character, and read back whole', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: {} });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  const line = `a${'é'.repeat(20_000)}`;
  appendSpool(root, record, criRecord(T0, 'stdout', line));
  await log.finish();
  assert.equal(await readText(log), `${line}\n`);
  const records = readFileSync(log.path, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    records.map((text) => Buffer.byteLength(JSON.parse(text).log)),
    [16_383, 16_384, 7_235],
  );
});

test('json-file: rotates by size, keeps max-file files, compresses, and reads over all of them', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: { 'max-size': '20k', 'max-file': '4', compress: 'true' } });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  let all = 'line\n';
  appendSpool(root, record, criRecord(T0, 'stdout', 'line'));
  let seen = '';
  const query = { stdout: true, stderr: true, follow: true, signal: new AbortController().signal };
  const followed = log.streamTo(query, { framed: false, timestamps: false, details: false }, async (piece) => {
    seen += String(piece);
  });
  await until(() => seen === all);
  for (let i = 0; i < 1000; i++) {
    const text = `line ${i} ${'x'.repeat(40)}`;
    all += `${text}\n`;
    appendSpool(root, record, criRecord(T0 + BigInt(i), 'stdout', text));
    if (i % 50 === 0) log.notify(1);
    if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await log.finish();
  await followed;
  assert.ok(seen === all, 'a follower sees everything across rotations');
  const finished = (name: string): string => `${basename(log.path)}.${name}`;
  const files = (): readonly string[] =>
    readdirSync(dirname(log.path)).filter((name) => name.startsWith(basename(log.path)));
  // The plain form of a file goes after the compressed one has its name: until then both are there.
  const expected = [basename(log.path), ...['1.gz', '2.gz', '3.gz'].map(finished)];
  await until(() => isDeepStrictEqual(files().toSorted(), expected));
  const kept = await readText(log);
  assert.ok(all.endsWith(kept) && kept.length > 20_000);
  assert.equal(await readText(log, { tail: 300 }), all.split('\n').slice(-301).join('\n'));
});

test('none: reading is refused in the words of Docker', async (t) => {
  const root = await tempDirectory(t);
  const log = openLog(root, makeRecord({ Type: 'none', Config: {} }));
  assert.deepEqual(await log.prepare(), { driver: 'none' });
  assert.throws(() => log.checkReadable(), {
    kind: 'not-implemented',
    message: 'configured logging driver does not support reading',
  });
});

test('prepare() again and a second run continue the same log', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: {} });
  const log = openLog(root, record);
  t.after(() => log.remove());
  for (const text of ['first', 'second']) {
    await log.prepare();
    appendSpool(root, record, criRecord(T0, 'stdout', text));
    await log.finish();
  }
  assert.equal(await readText(log), 'first\nsecond\n');
  assert.equal(await readText(openLog(root, record)), 'first\nsecond\n', 'a new daemon reads the same');
});
