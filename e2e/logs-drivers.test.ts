import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

const LINES = 400_000;
/** More than all the buffers between a process and its log server. */
const FLOOD = 2_000_000;

interface SyslogServer {
  readonly options: readonly string[];
  /** Takes no more, or goes on taking. */
  read(on: boolean): void;
  text(): string;
}

/** A syslog server that reads only when it is told to. */
async function syslogServer(t: TestContext): Promise<SyslogServer> {
  const pieces: Buffer[] = [];
  const sockets = new Set<Socket>();
  let reads = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    if (!reads) socket.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const address = ['--log-driver', 'syslog', '--log-opt', `syslog-address=tcp://127.0.0.1:${port}`];
  return {
    options: [...address, '--log-opt', 'cache-max-size=1m', '--log-opt', 'cache-max-file=2'],
    read(on) {
      reads = on;
      for (const socket of sockets) {
        if (on) socket.resume();
        else socket.pause();
      }
    },
    text: () => Buffer.concat(pieces).toString(),
  };
}

const numbersOf = (text: string): readonly number[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(/: (\d+)$/.exec(line)?.[1]));

test('a process waits for a log driver that is slow, and no message is lost', async (t) => {
  const server = await syslogServer(t);
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, ...server.options, BUSYBOX, 'seq', '1', String(LINES));
  // Nothing is read for as long as a daemon takes to answer a few questions.
  for (let question = 0; question < 20; question++) await daemon().ok('ps', '-a');
  assert.equal(await daemon().ok('inspect', '-f', '{{.State.Running}}', name), 'true', 'the process waits');
  server.read(true);
  assert.equal(await daemon().ok('wait', name), '0');
  await eventually('all arrived', async () => server.text().endsWith(`: ${LINES}\n`));
  const numbers = numbersOf(server.text());
  assert.equal(numbers.length, LINES);
  assert.equal(
    numbers.findIndex((number, index) => number !== index + 1),
    -1,
  );
});

test('with mode=non-blocking a process does not wait for its log driver', async (t) => {
  const server = await syslogServer(t);
  const name = uniqueName();
  const options = [...server.options, '--log-opt', 'mode=non-blocking', '--log-opt', 'max-buffer-size=1m'];
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'seq', '1', String(FLOOD));
  assert.equal(await daemon().ok('wait', name), '0', 'it ends although nobody reads');
  server.read(true);
  await eventually('what was kept arrives', async () => server.text().endsWith(`: ${FLOOD}\n`));
  const numbers = numbersOf(server.text());
  assert.ok(numbers.length < FLOOD, 'some were dropped');
  assert.ok(
    numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
    'in order',
  );
  assert.match(await daemon().ok('logs', '--tail', '1', name), new RegExp(`^${FLOOD}$`));
});
