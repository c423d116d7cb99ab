import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogPrinter, WATCH_NAME } from './log-printer.ts';

function printer(given: { coloured?: boolean; prefix?: boolean; timestamps?: boolean } = {}) {
  const written = { out: '', err: '' };
  const logs = new LogPrinter({
    out: (bytes) => {
      written.out += bytes.toString();
    },
    err: (bytes) => {
      written.err += bytes.toString();
    },
    ...{ coloured: false, prefix: true, timestamps: false, now: () => new Date(0), ...given },
  });
  return { logs, written };
}

test('LogPrinter aligns the lines of containers it was told of', () => {
  const { logs, written } = printer();
  logs.register(['db-1', 'frontend-1']);
  logs.log('db-1', 'ready');
  logs.error('frontend-1', 'oh');
  logs.log('frontend-1 ->', 'hook');
  assert.equal(written.out, 'db-1        | ready\nfrontend-1 ->  | hook\n');
  assert.equal(written.err, 'frontend-1  | oh\n');
});

test('LogPrinter gives each container a colour, its hooks the same, and the watcher its own', () => {
  const { logs, written } = printer({ coloured: true });
  logs.register(['a-1', 'b-1']);
  logs.log('b-1 ->', 'x');
  logs.log(WATCH_NAME, 'Watch enabled');
  logs.status('a-1', 'exited with code 0');
  assert.equal(
    written.out,
    '\u001b[33mb-1 ->  | \u001b[0mx\n' +
      '\u001b[92m        ⦿ \u001b[0mWatch enabled\n' +
      '\u001b[36m\r\u001b[Ka-1 exited with code 0\n\u001b[0m',
  );
});

test('LogPrinter leaves prefixes out, puts times before lines, and keeps bytes that are no UTF-8', () => {
  const { logs, written } = printer({ prefix: false, timestamps: true });
  logs.log('a-1', 'x');
  assert.equal(written.out, '1970-01-01T00:00:00.000000000Z x\n');
  const chunks: Buffer[] = [];
  const raw = new LogPrinter({
    ...{ out: (bytes) => void chunks.push(bytes), err: () => undefined },
    ...{ coloured: false, prefix: false, timestamps: false },
  });
  raw.log('a-1', Buffer.from([0xff, 0xfe]));
  assert.deepEqual(Buffer.concat(chunks), Buffer.from([0xff, 0xfe, 0x0a]));
});
