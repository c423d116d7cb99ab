import assert from 'node:assert/strict';
import { closeSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { hasErrno } from '@wharf/kit';
import { pipe, setNonblocking, spawnAside } from '@wharf/linux/spawn';
import { StdioPipes } from './stdio-pipes.ts';

/** Pipes whose other ends stay with the test. */
function open() {
  const stdin = pipe();
  const stdout = pipe();
  const stderr = pipe();
  const stdio = new StdioPipes({ stdin: stdin.writeFd, stdout: stdout.readFd, stderr: stderr.readFd });
  const packets: string[] = [];
  let ended = false;
  stdio.onEnd(() => {
    ended = true;
  });
  stdio.onPacket((packet) => packets.push(`${packet[0]}${packet.subarray(1).toString()}`));
  return {
    stdio,
    packets,
    input: stdin.readFd,
    output: stdout.writeFd,
    errors: stderr.writeFd,
    isEnded: () => ended,
    [Symbol.dispose]() {
      stdio.close();
      for (const fd of [stdin.readFd, stdout.writeFd, stderr.writeFd]) closeSync(fd);
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  const deadlineAt = Date.now() + 5000;
  while (!condition()) {
    assert.ok(Date.now() < deadlineAt, 'deadline');
    await turn();
  }
}

test('StdioPipes gives the outputs apart, and nothing while paused', async () => {
  using pipes = open();
  writeSync(pipes.output, 'out');
  writeSync(pipes.errors, 'err');
  await until(() => pipes.packets.length === 2);
  assert.deepEqual(pipes.packets.toSorted(), ['2out', '3err']);
  pipes.stdio.pause();
  writeSync(pipes.output, 'later');
  for (let turns = 0; turns < 20; turns += 1) await turn();
  assert.equal(pipes.packets.length, 2);
  pipes.stdio.resume();
  await until(() => pipes.packets.length === 3);
});

test('StdioPipes.finish() hands on what is left though others hold the pipes, even when paused, and then ends', () => {
  using pipes = open();
  pipes.stdio.pause();
  writeSync(pipes.output, 'last words');
  pipes.stdio.finish();
  assert.deepEqual(pipes.packets, ['2last words']);
  assert.equal(pipes.isEnded(), true);
});

test('StdioPipes does not end when the process closes its outputs', async () => {
  const [stdout, stderr] = [pipe(), pipe()];
  using stdio = Object.assign(new StdioPipes({ stdin: undefined, stdout: stdout.readFd, stderr: stderr.readFd }), {
    [Symbol.dispose]: () => stdio.close(),
  });
  let ended = false;
  stdio.onEnd(() => {
    ended = true;
  });
  stdio.onPacket(() => undefined);
  closeSync(stdout.writeFd);
  closeSync(stderr.writeFd);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  assert.equal(ended, false);
  stdio.finish();
  assert.equal(ended, true);
});

test('StdioPipes.send() keeps what the pipe does not take, refuses more until it has, and closes stdin behind it', async () => {
  using pipes = open();
  const sent = Buffer.alloc(200_000, 'x');
  assert.equal(pipes.stdio.send(sent), true);
  assert.equal(pipes.stdio.send(Buffer.from('too early')), false);
  let drained = false;
  pipes.stdio.onDrain(() => {
    drained = true;
    assert.equal(pipes.stdio.send(Buffer.from('end')), true);
    pipes.stdio.shutdownWrite();
  });
  const chunk = Buffer.alloc(65_536);
  let received = 0;
  setNonblocking(pipes.input);
  for (let atEnd = false; !atEnd; await turn()) {
    try {
      const size = readSync(pipes.input, chunk);
      received += size;
      atEnd = size === 0;
    } catch (error) {
      assert.ok(hasErrno(error, 'EAGAIN'));
    }
  }
  assert.equal(drained, true);
  assert.equal(received, sent.length + 3);
});

test('StdioPipes passes a megabyte through a process and back', async () => {
  const [stdin, stdout, stderr] = [pipe(), pipe(), pipe()];
  const child = await spawnAside({
    path: '/bin/cat',
    argv: ['cat'],
    fds: { 0: stdin.readFd, 1: stdout.writeFd, 2: stderr.writeFd },
  });
  for (const fd of [stdin.readFd, stdout.writeFd, stderr.writeFd]) closeSync(fd);
  const stdio = new StdioPipes({ stdin: stdin.writeFd, stdout: stdout.readFd, stderr: stderr.readFd });
  let received = 0;
  stdio.onPacket((packet) => {
    received += packet.length - 1;
  });
  let left = 32;
  const pump = (): void => {
    while (left > 0 && stdio.send(Buffer.alloc(32_768, left))) left -= 1;
    if (left === 0) stdio.shutdownWrite();
  };
  stdio.onDrain(pump);
  pump();
  assert.deepEqual(await child.exited, { code: 0, signal: null });
  stdio.finish();
  assert.equal(received, 1024 * 1024);
});
