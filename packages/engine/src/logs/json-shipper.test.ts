import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { appendSpool, criRecord, makeRecord, openLog, readText, tempDirectory } from './test-support.ts';

const shipOnce = fileURLToPath(new URL('./test-ship.ts', import.meta.url));

/** A daemon that ships until it is killed. */
async function shipAndKill(root: string, id: string, options: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [shipOnce, root, id, options], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await sleep(afterMs);
  child.kill('SIGKILL');
  await exited;
}

for (const config of [{ 'max-size': '1g' }, { 'max-size': '100k', 'max-file': '1000' }]) {
  test(`shipping is exactly once across kill -9 at any point (${JSON.stringify(config)})`, async (t) => {
    const root = await tempDirectory(t);
    const record = makeRecord({ Type: 'json-file', Config: config });
    const log = openLog(root, record);
    await log.prepare();
    let expected = '';
    let count = 0;
    for (let round = 0; round < 8; round++) {
      let text = '';
      for (let i = 0; i < 6000; i++) {
        const line = `line ${count++} ${'é<'.repeat(i % 40)}`;
        const cut = i % 7 === 0 ? 5 : 0;
        const stream = i % 11 === 0 ? 'stderr' : 'stdout';
        if (cut > 0) text += criRecord(BigInt(count), stream, line.slice(0, cut), true);
        text += criRecord(BigInt(count), stream, line.slice(cut));
        expected += `${line}\n`;
      }
      // The last line of a round is finished in the next: its beginning waits in the cursor.
      text += criRecord(BigInt(count), 'stdout', 'torn ', true);
      appendSpool(root, record, text);
      await shipAndKill(root, record.id, JSON.stringify(config), (round * 7) % 40);
      appendSpool(root, record, criRecord(BigInt(count), 'stdout', 'line'));
      expected += 'torn line\n';
    }
    const last = openLog(root, record);
    t.after(() => last.remove());
    await last.finish();
    const actual = await readText(last);
    assert.equal(actual.length, expected.length);
    assert.ok(actual === expected, 'every line once and in order');
    for (const line of readFileSync(last.path, 'utf8').trimEnd().split('\n')) assert.ok(JSON.parse(line).time);
  });
}

test('a large backlog is shipped whole and in order, rotated and compressed, by the log thread', async (t) => {
  const root = await tempDirectory(t);
  const record = makeRecord({ Type: 'json-file', Config: { 'max-size': '4m', 'max-file': '20', compress: 'true' } });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  let expected = '';
  for (let round = 0; round < 20; round++) {
    let text = '';
    for (let i = 0; i < 10_000; i++) {
      const line = `${round} ${i} "ä\u2028\t\\"`;
      text += criRecord(BigInt(i), 'stdout', line, i % 5 === 0);
      expected += i % 5 === 0 ? line : `${line}\n`;
    }
    // One that no buffer of the thread holds.
    if (round === 3) {
      const long = 'x'.repeat(700_000);
      text += criRecord(1n, 'stdout', long);
      expected += `${long}\n`;
    }
    appendSpool(root, record, text);
  }
  log.notify(1);
  await log.finish();
  const actual = await readText(log);
  assert.equal(actual.length, expected.length);
  assert.ok(actual === expected, 'every byte once and in order');
});
