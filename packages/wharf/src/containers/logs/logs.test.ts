import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, STDERR, STDOUT } from '@wharf/wire/stdcopy';
import { LOG_LINE_LIMIT_BYTES } from './limits.ts';
import { logLines, splitTime } from './lines.ts';
import { mergeByTime } from './merge.ts';

async function* chunks(...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

async function texts(body: AsyncIterable<Buffer>, tty: boolean): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { isError, text } of logLines(body, { tty })) found.push(`${isError ? '!' : ''}${text}`);
  return found;
}

test('logLines() joins what came in pieces, of each stream for itself', async () => {
  const out = (text: string): Buffer => frame(STDOUT, Buffer.from(text));
  const err = (text: string): Buffer => frame(STDERR, Buffer.from(text));
  const whole = Buffer.concat([out('a'), err('x\ny'), out('b\n\nc\n'), err('z\n'), out('rest')]);
  const wanted = ['!x', 'ab', '', 'c', '!yz', 'rest'];
  assert.deepEqual(await texts(chunks(whole), false), wanted);
  const bytes = Array.from(whole, (byte) => Buffer.from([byte]));
  assert.deepEqual(await texts(chunks(...bytes), false), wanted);
});

test('logLines() of a terminal are its lines', async () => {
  assert.deepEqual(await texts(chunks(Buffer.from('a\r\nb\r'), Buffer.from('\nc')), true), ['a', 'b', 'c']);
});

test('logLines() does not keep more of a line than the limit', async () => {
  const endless = Buffer.alloc(LOG_LINE_LIMIT_BYTES + 1, 'x');
  const [first, second] = await texts(chunks(endless, Buffer.from('y\n')), true);
  assert.equal(first?.length, endless.length);
  assert.equal(second, 'y');
});

test('splitTime() takes the time off', () => {
  const { time, line } = splitTime({ isError: false, text: Buffer.from('2026-01-01T00:00:00.000000001Z a b') });
  assert.deepEqual([time, line.text.toString()], ['2026-01-01T00:00:00.000000001Z', 'a b']);
});

test('mergeByTime() orders lines of several logs, and the earlier log goes first', async () => {
  async function* log(name: string, ...times: readonly string[]) {
    for (const time of times) yield { name, time };
  }
  const merged: string[] = [];
  for await (const { name, time } of mergeByTime([log('a', '1', '3', '3'), log('b', '2', '3', '4'), log('c')])) {
    merged.push(name + time);
  }
  assert.deepEqual(merged, ['a1', 'b2', 'a3', 'a3', 'b3', 'b4']);
});
