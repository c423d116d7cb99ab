import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nullLogger } from '@wharf/kit';
import { CLIENT_HIGH_WATER_BYTES, CLIENT_MAX_BYTES } from './limits.ts';
import type { MonitorSocket } from './monitor-socket.ts';
import type { AttachOptions, MonitorIo } from './process-streams.ts';
import { createProcessStreams } from './streams.ts';

/** A monitor whose socket takes `capacity` packets before it refuses more. */
class FakeMonitor implements MonitorSocket {
  received: Buffer[] = [];
  capacity = Number.POSITIVE_INFINITY;
  paused = false;
  stdinClosed = false;
  closed = false;
  packet: (packet: Buffer) => void = () => undefined;
  end: () => void = () => undefined;
  drain: () => void = () => undefined;
  onPacket(callback: (packet: Buffer) => void): void {
    this.packet = callback;
  }
  onEnd(callback: () => void): void {
    this.end = callback;
  }
  onDrain(callback: () => void): void {
    this.drain = callback;
  }
  send(packet: Buffer): boolean {
    assert.ok(packet.length <= 32 * 1024, 'conmon would drop the rest');
    if (this.received.length >= this.capacity) return false;
    this.received.push(Buffer.from(packet));
    return true;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  shutdownWrite(): void {
    this.stdinClosed = true;
  }
  close(): void {
    this.closed = true;
  }
  stdout(text: string | Buffer): void {
    this.packet(Buffer.concat([Buffer.of(2), Buffer.from(text as string)]));
  }
  stderr(text: string): void {
    this.packet(Buffer.concat([Buffer.of(3), Buffer.from(text)]));
  }
}

interface Client {
  readonly stream: Duplex;
  readonly input: PassThrough;
  readonly output: Buffer[];
  /** Lets the writes that were held back through. */
  release(): void;
}

function makeClient(options: { readonly stalled?: boolean } = {}): Client {
  const input = new PassThrough();
  const output: Buffer[] = [];
  let waiting: (() => void) | undefined;
  let stalled = options.stalled ?? false;
  const stream = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      output.push(chunk);
      if (stalled) waiting = done;
      else done();
    },
  });
  input.on('data', (chunk: Buffer) => stream.push(chunk));
  input.on('end', () => stream.push(null));
  return {
    stream,
    input,
    output,
    release() {
      stalled = false;
      waiting?.();
    },
  };
}

const io: MonitorIo = {
  attachSocketPath: '/none',
  controlFifoPath: '/none',
  terminal: false,
  stdin: true,
  stdinOnce: true,
};
const all: AttachOptions = { stdin: true, stdout: true, stderr: true, framed: false };

function setUp(onOutput?: (bytes: number) => void, endsAtClose = false) {
  const monitor = new FakeMonitor();
  const streams = createProcessStreams({
    log: nullLogger,
    endsAtClose,
    openSocket: () => monitor,
    ...(onOutput ? { onOutput } : {}),
  });
  return { monitor, streams };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineAt = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadlineAt, 'deadline');
    await turn();
  }
}

test('attach() before connect() gets the first byte, framed, both streams in order', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient();
  const ended = streams.attach(client.stream, { ...all, framed: true });
  await streams.connect(io);
  monitor.stdout('out');
  monitor.stderr('er');
  monitor.end();
  assert.equal(await ended, 'process-ended');
  await streams.drained;
  assert.deepEqual(
    Buffer.concat(client.output),
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 3, 111, 117, 116, 2, 0, 0, 0, 0, 0, 0, 2, 101, 114]),
  );
  assert.equal(client.output.length, 1, 'a burst is one write');
});

test('a client has every byte before the end is booked, and sees the end only then', async () => {
  const { monitor, streams } = setUp(undefined, true);
  const client = makeClient();
  const ended = streams.attach(client.stream, { ...all, stdin: false });
  await streams.connect(io);
  monitor.stdout('last words');
  monitor.end();
  await streams.drained;
  assert.equal(Buffer.concat(client.output).toString(), 'last words');
  assert.equal(client.stream.writableEnded, false);
  streams.close();
  assert.equal(await ended, 'process-ended');
  assert.equal(client.stream.writableEnded, true);
});

test('attach() gives a client only the streams it asked for', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient();
  void streams.attach(client.stream, { ...all, stdout: false });
  await streams.connect(io);
  monitor.stdout('out');
  monitor.stderr('err');
  monitor.end();
  await streams.drained;
  assert.equal(Buffer.concat(client.output).toString(), 'err');
});

test('attach() passes stdin in packets the monitor can read, with back-pressure, and closes it once at its end', async () => {
  const { monitor, streams } = setUp();
  monitor.capacity = 1;
  const client = makeClient();
  void streams.attach(client.stream, all);
  await streams.connect(io);
  const sent = Buffer.alloc(100_000, 'x');
  client.input.end(sent);
  await until(() => monitor.received.length === 1);
  await turn();
  assert.equal(monitor.stdinClosed, false);
  monitor.capacity = Number.POSITIVE_INFINITY;
  monitor.drain();
  await until(() => monitor.stdinClosed);
  assert.deepEqual(Buffer.concat(monitor.received), sent);
  monitor.stdout('still');
  monitor.end();
  await streams.drained;
  assert.equal(Buffer.concat(client.output).toString(), 'still');
});

test('attach() without StdinOnce ends with the input of the client and leaves stdin open', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient();
  const ended = streams.attach(client.stream, all);
  await streams.connect({ ...io, stdinOnce: false });
  client.input.end('hello');
  assert.equal(await ended, 'client-left');
  assert.equal(Buffer.concat(monitor.received).toString(), 'hello');
  assert.equal(monitor.stdinClosed, false);
  assert.equal(streams.clientCount, 0);
});

test('attach() detaches on the keys of a terminal, split over chunks, and forwards what came before', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient();
  const ended = streams.attach(client.stream, { ...all, detachKeys: 'ctrl-a,b' });
  await streams.connect({ ...io, terminal: true });
  client.input.write('x\u0001');
  await until(() => monitor.received.length === 1);
  client.input.write('b');
  assert.equal(await ended, 'detached');
  assert.equal(Buffer.concat(monitor.received).toString(), 'x');
  assert.equal(monitor.stdinClosed, false);
});

test('attach() holds the monitor back for a lone slow client and loses nothing', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient({ stalled: true });
  const ended = streams.attach(client.stream, all);
  await streams.connect(io);
  const packet = Buffer.alloc(8192, 'y');
  let sent = 0;
  while (!monitor.paused) {
    monitor.stdout(packet);
    sent += packet.length;
    assert.ok(sent < 2 * CLIENT_HIGH_WATER_BYTES);
  }
  client.release();
  await until(() => !monitor.paused);
  monitor.end();
  assert.equal(await ended, 'process-ended');
  assert.equal(Buffer.concat(client.output).length, sent);
});

test('attach() cuts a client that lags far behind another and never pauses for it', async () => {
  const { monitor, streams } = setUp();
  const slow = makeClient({ stalled: true });
  const fast = makeClient();
  const slowEnd = streams.attach(slow.stream, all);
  void streams.attach(fast.stream, all);
  await streams.connect(io);
  const packet = Buffer.alloc(64 * 1024, 'z');
  let sent = 0;
  while (streams.clientCount === 2) {
    monitor.stdout(packet);
    sent += packet.length;
    assert.equal(monitor.paused, false);
    assert.ok(sent < 2 * CLIENT_MAX_BYTES);
    await turn();
  }
  assert.equal(await slowEnd, 'too-slow');
  monitor.end();
  await streams.drained;
  assert.equal(Buffer.concat(fast.output).length, sent);
});

test('processExited() reads on though a client is stuck, so that the monitor can leave', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient({ stalled: true });
  void streams.attach(client.stream, all);
  await streams.connect(io);
  while (!monitor.paused) monitor.stdout(Buffer.alloc(65536));
  streams.processExited();
  assert.equal(monitor.paused, false);
  client.stream.destroy();
  streams.close();
  await streams.drained;
});

test('a client that leaves closes stdin under StdinOnce', async () => {
  const { monitor, streams } = setUp();
  const client = makeClient();
  const ended = streams.attach(client.stream, all);
  await streams.connect(io);
  client.stream.destroy();
  assert.equal(await ended, 'client-left');
  assert.equal(monitor.stdinClosed, true);
});

test('onOutput is told of output once a turn, with or without clients', async () => {
  const seen: number[] = [];
  const { monitor, streams } = setUp((bytes) => seen.push(bytes));
  await streams.connect(io);
  monitor.stdout('abc');
  monitor.stderr('de');
  await turn();
  assert.deepEqual(seen, [5]);
});

test('attach() after the end returns at once and ends the client', async () => {
  const { streams } = setUp();
  streams.close();
  await streams.drained;
  const client = makeClient();
  const finished = once(client.stream, 'finish');
  assert.equal(await streams.attach(client.stream, all), 'process-ended');
  await finished;
  assert.throws(() => streams.resize({ height: 1, width: 1 }), { kind: 'failed-precondition' });
});
