import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nullLogger } from '@wharf/kit';
import { prepareHybridForCrun } from '@wharf/linux/cgroup';
import type { AttachOptions, ProcessStreams } from './process-streams.ts';
import { createProcessStreams } from './streams.ts';
import { createContainer, type TestContainerOptions } from './test-conmon.ts';

prepareHybridForCrun();

const all: AttachOptions = { stdin: true, stdout: true, stderr: true, framed: false };

/** Two ends of a real unix socket connection. */
async function socketPair(t: TestContext, directory: string): Promise<{ daemon: Socket; client: Socket }> {
  const path = join(directory, `client-${Math.random()}`);
  const server = createServer({ allowHalfOpen: true });
  server.listen(path);
  await once(server, 'listening');
  const client = connect({ path, allowHalfOpen: true });
  const [daemon] = (await once(server, 'connection')) as [Socket];
  server.close();
  t.after(() => {
    client.destroy();
    daemon.destroy();
  });
  return { daemon, client };
}

async function setUp(t: TestContext, options: TestContainerOptions, attach: Partial<AttachOptions> = {}) {
  const container = await createContainer(t, options);
  const { daemon, client } = await socketPair(t, container.directory);
  const streams = createProcessStreams({ log: nullLogger });
  t.after(() => streams.close());
  const end = streams.attach(daemon, { ...all, ...attach });
  return { container, client, streams, end };
}

async function collect(client: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of client) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

async function ended(streams: ProcessStreams, exited: Promise<void>): Promise<void> {
  await exited;
  streams.processExited();
  await streams.drained;
}

const sh = (script: string): string[] => ['/bin/busybox', 'sh', '-c', script];

test('conmon: a short process is heard from its first to its last byte', async (t) => {
  const { container, client, streams, end } = await setUp(t, { args: sh('echo one; echo two >&2; printf three') });
  await streams.connect(container.io);
  const output = collect(client);
  container.start();
  await ended(streams, container.exited);
  assert.equal(await end, 'process-ended');
  // Two pipes: their order among each other is not given.
  const text = (await output).toString();
  assert.ok(['one\ntwo\nthree', 'two\none\nthree', 'one\nthreetwo\n'].includes(text), text);
});

test('conmon: 16 MB go in and come out unchanged, and half-close is the end of stdin', async (t) => {
  const { container, client, streams, end } = await setUp(t, { args: ['/bin/busybox', 'cat'] });
  await streams.connect(container.io);
  const output = collect(client);
  container.start();
  const data = randomBytes(16 * 1024 * 1024);
  client.end(data);
  await ended(streams, container.exited);
  assert.equal(await end, 'process-ended');
  assert.ok(data.equals(await output));
});

test('conmon: output survives a process that ends without reading its stdin', async (t) => {
  const { container, client, streams } = await setUp(t, { args: sh('busybox seq 1 20000; exit 3') });
  await streams.connect(container.io);
  const output = collect(client);
  client.on('error', () => undefined);
  client.write(Buffer.alloc(4 * 1024 * 1024));
  container.start();
  await ended(streams, container.exited);
  const expected = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\n`).join('');
  assert.equal((await output).toString(), expected);
});

test('conmon: a stuck client does not keep the monitor from leaving', async (t) => {
  const { container, streams } = await setUp(t, { args: sh('busybox yes | busybox head -c 20000000') });
  await streams.connect(container.io);
  container.start();
  await sleep(200);
  streams.processExited();
  await container.exited;
  streams.close();
});

test('conmon: a terminal is resized before it runs, echoes, and detaches on keys', async (t) => {
  const { container, client, streams, end } = await setUp(t, { args: ['/bin/busybox', 'sh'], terminal: true });
  streams.resize({ height: 41, width: 101 });
  await streams.connect(container.io);
  let output = '';
  client.on('data', (piece) => {
    output += String(piece);
  });
  const seen = async (text: string): Promise<void> => {
    const deadlineAt = Date.now() + 5000;
    while (!output.includes(text)) {
      assert.ok(Date.now() < deadlineAt, `no "${text}" in ${JSON.stringify(output)}`);
      await sleep(5);
    }
  };
  container.start();
  client.write('busybox stty size\n');
  await seen('41 101');
  for (let width = 60; width <= 90; width++) streams.resize({ height: 30, width });
  await sleep(100);
  client.write('busybox stty size\n');
  await seen('30 90');
  client.write('\u0010\u0011');
  assert.equal(await end, 'detached');
  await once(client, 'end');
  assert.equal(streams.connected, true, 'the process goes on');
});

test('conmon: without StdinOnce a client leaves and another goes on with the same stdin', async (t) => {
  const setup = await setUp(t, { args: ['/bin/busybox', 'cat'], stdinOnce: false });
  const { container, streams } = setup;
  await streams.connect(container.io);
  container.start();
  setup.client.write('first\n');
  assert.equal(String((await once(setup.client, 'data'))[0]), 'first\n');
  setup.client.end();
  assert.equal(await setup.end, 'client-left');
  const { daemon, client } = await socketPair(t, container.directory);
  void streams.attach(daemon, all);
  client.write('second\n');
  assert.equal(String((await once(client, 'data'))[0]), 'second\n');
});
