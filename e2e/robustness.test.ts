import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { run } from '../scripts/lib/run.ts';
import { processes } from './lib/audit.ts';
import { TestDaemon } from './lib/daemon.ts';
import { dockerCli } from './lib/docker.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-robust-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function script(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return path;
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kb) / 1024;
}

/** Opens connections that send `text`; each resolves once there is an answer, and none is read further than that. */
async function open(daemon: TestDaemon, count: number, text: string): Promise<readonly Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = createConnection(daemon.socketPath);
      socket.on('error', () => {});
      socket.write(text);
      await new Promise((resolve) => {
        socket.once('data', resolve);
        socket.once('close', resolve);
      });
      socket.pause();
      return socket;
    }),
  );
}

const head = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: d\r\n${more}\r\n`;
const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\n';

async function ask(daemon: TestDaemon, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(daemon.socketPath);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(text);
  });
}

test('clients that vanish in the middle of any stream leave no descriptor and do not end the daemon', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'talks', BUSYBOX, 'sh', '-c', 'while :; do echo x; sleep 0.1; done');
  const pid = daemon.pid;
  const texts = [
    head('GET /events?since=1'),
    head('GET /containers/talks/logs?follow=1&stdout=1'),
    head('POST /containers/talks/attach?stream=1&stdout=1', UPGRADE),
    head('GET /containers/talks/stats'),
    head('POST /containers/talks/wait'),
    head('GET /containers/talks/export'),
    head('GET /containers/talks/archive?path=/'),
    head(`GET /images/${BUSYBOX}/get`),
  ];
  const round = async (): Promise<void> => {
    for (const text of texts) for (const socket of await open(daemon, 8, text)) socket.destroy();
  };
  // Worker threads, their descriptors with them, come with the first round and stay for a while.
  await round();
  await eventually('the first clients are forgotten', async () => socketsOf(pid) <= 3);
  const before = descriptors(pid);
  await round();
  await eventually('all is closed again', async () => descriptors(pid) <= before);
  assert.equal(daemon.pid, pid);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}}', 'talks'), 'running');
});

/** Connections of the API that the daemon holds, its listening socket included; conmon's attach sockets have no path of ours. */
function socketsOf(pid: number): number {
  const path = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .find((word) => word.startsWith('unix://'))
    ?.slice('unix://'.length);
  const lines = readFileSync(`/proc/${pid}/net/unix`, 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(` ${path}`)).length;
}

test('a client that is killed while it is attached to a silent process is let go', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-di', '--name', 'silent', BUSYBOX, 'sleep', '1000');
  const before = descriptors(daemon.pid);
  for (const stdin of [0, 1]) {
    const text = head(`POST /containers/silent/attach?stream=1&stdout=1&stdin=${stdin}`, UPGRADE);
    const [stays, ...others] = await open(daemon, 10, text);
    for (const socket of others) socket.destroy();
    stays?.end();
    await eventually('the dead are gone', async () => descriptors(daemon.pid) <= before + 1);
    stays?.destroy();
  }
  await eventually('all are gone', async () => descriptors(daemon.pid) <= before);
});

test('half-closed clients of logs and wait end their requests', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'quiet', BUSYBOX, 'sleep', '1000');
  for (const text of [
    head('GET /containers/quiet/logs?follow=1&stdout=1'),
    head('POST /containers/quiet/wait'),
    head('GET /events'),
  ]) {
    const closed = Array.from({ length: 20 }, async () => {
      const socket = createConnection({ path: daemon.socketPath, allowHalfOpen: true });
      socket.resume().on('error', () => {});
      socket.end(text);
      await new Promise((resolve) => socket.once('close', resolve));
    });
    await Promise.all(closed);
  }
  assert.equal(await daemon.ok('ps', '-q', '--filter', 'name=quiet').then((id) => id.length > 0), true);
});

test('abuse of the API is answered in bounds', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  const { pid } = daemon;
  const json = 'Content-Type: application/json\r\nConnection: close\r\n';
  const post = (body: string) => head('POST /containers/create', `${json}Content-Length: ${body.length}\r\n`) + body;
  for (const [text, status] of [
    [post('{"Image":'), 400],
    [post('{"Image":5}'), 400],
    [post('['.repeat(200_000)), 400],
    [post(`{"HostConfig":{"Binds":${'['.repeat(5000)}${']'.repeat(5000)}}}`), 400],
    [head('GET /containers/nobody/json', 'Connection: close\r\n'), 404],
    [head('GET /containers/../../etc/passwd', 'Connection: close\r\n'), 301],
    [head('GET /containers/%2e%2e/%2e%2e/json', 'Connection: close\r\n'), 301],
    [head('GET /containers/a%00b/json', 'Connection: close\r\n'), 400],
    [head('GET /_ping', `X: ${'a'.repeat(400_000)}\r\n`), 431],
    [head('POST /containers/create', `${json}Content-Length: 104857600\r\n`), 413],
    ['\x16\x03\x01\x02\r\n\r\n', 400],
  ] as const) {
    assert.match(await ask(daemon, text), new RegExp(`^HTTP/1.1 ${status} `), text.slice(0, 60));
  }
  const before = descriptors(pid);
  const memory = residentMb(pid);
  const idle = await open(daemon, 3000, head('GET /_ping'));
  const slow = Array.from({ length: 500 }, () => {
    const socket = createConnection(daemon.socketPath);
    socket.on('error', () => {});
    socket.write('GET /_ping HTTP/1.1\r\nHo');
    return socket;
  });
  const greedy = createConnection(daemon.socketPath);
  greedy.on('error', () => {});
  greedy.pause();
  greedy.write(head('GET /images/json').repeat(3000));
  assert.match(await ask(daemon, head('GET /_ping', 'Connection: close\r\n')), /OK$/);
  assert.ok(residentMb(pid) - memory < 100, `grew from ${memory} to ${residentMb(pid)} MB`);
  for (const socket of [...idle, ...slow, greedy]) socket.destroy();
  await eventually('all is closed again', async () => descriptors(pid) <= before);
});

test('a runtime that hangs and a stopped monitor hold up nobody else', async () => {
  const hangs = script('hangs', 'exec sleep 300');
  await using daemon = await TestDaemon.start({ arguments: ['--add-runtime', `hangs=${hangs}`] });
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'frozen', BUSYBOX, 'sleep', '1000');
  const id = await daemon.ok('inspect', '-f', '{{.Id}}', 'frozen');
  const monitor = processes().find(({ command }) => command.includes('conmon') && command.includes(id));
  assert.ok(monitor);
  process.kill(monitor.pid, 'SIGSTOP');
  const client = spawn(await dockerCli(), ['-H', daemon.host, 'run', '--runtime', 'hangs', '--name', 'never', BUSYBOX]);
  try {
    await eventually('the hanging start is under way', async () =>
      processes().some(({ command }) => command.includes('conmon') && command.includes(hangs)),
    );
    const quick = { timeoutMs: 10_000 };
    for (const args of [
      ['ps', '-a'],
      ['inspect', 'frozen', 'never'],
      ['run', '--rm', BUSYBOX, 'true'],
      ['exec', 'frozen', 'true'],
      ['logs', 'frozen'],
    ]) {
      const result = await daemon.docker(args, quick);
      assert.equal(result.code, 0, `${args.join(' ')}: ${result.output}`);
    }
  } finally {
    process.kill(monitor.pid, 'SIGCONT');
    client.kill('SIGKILL');
    for (const { pid, command } of processes())
      if (command.includes('conmon') && command.includes(hangs)) process.kill(pid, 'SIGKILL');
  }
  await daemon.ok('rm', '-f', 'frozen', 'never');
});

test('what runs often leaves nothing behind', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('network', 'create', 'own');
  await daemon.ok('run', '-d', '--name', 'host', BUSYBOX, 'sleep', '1000');
  const many = async (times: number, ...args: readonly string[]): Promise<void> => {
    const one = async (): Promise<void> => {
      for (let i = 0; i < times / 4; i++) await daemon.ok(...args);
    };
    await Promise.all([one(), one(), one(), one()]);
  };
  await many(4, 'run', '--rm', BUSYBOX, 'true');
  const look = (): Readonly<Record<string, number>> => ({
    mounts: linesWith('/proc/self/mountinfo', daemon.directory),
    links: readdirSync(`/sys/class/net/${daemon.bridge}/brif`).length,
    namespaces: readdirSync(join(daemon.execRoot, 'netns')).length,
    bundles: readdirSync(join(daemon.execRoot, 'containers')).length,
    execs: existsSync(join(daemon.execRoot, 'execs')) ? readdirSync(join(daemon.execRoot, 'execs')).length : 0,
    exits: readdirSync(join(daemon.execRoot, 'exits')).length,
    folders: readdirSync(join(daemon.dataRoot, 'containers')).length,
    volumes: readdirSync(join(daemon.dataRoot, 'volumes')).length,
    monitors: processes().filter(({ command }) => command.includes(daemon.directory)).length,
  });
  // A container made with --rm is gone a moment after its client has heard of its end.
  await eventually('only the one container is left', async () => {
    const { bundles, exits, folders, links, monitors } = look();
    return `${bundles} ${exits} ${folders} ${links} ${monitors}` === '1 0 1 1 2';
  });
  const before = look();
  const open = descriptors(daemon.pid);
  await many(40, 'run', '--rm', BUSYBOX, 'true');
  await many(24, 'run', '--rm', '-p', '80', '-v', '/anonymous', '--network', 'own', BUSYBOX, 'true');
  await many(40, 'exec', 'host', 'true');
  await eventually('everything is as before', async () => JSON.stringify(look()) === JSON.stringify(before)).catch(() =>
    assert.deepEqual(look(), before),
  );
  await eventually('no descriptor is left', async () => descriptors(daemon.pid) <= open + 8);
  await daemon.ok('network', 'rm', 'own');
});

function linesWith(path: string, text: string): number {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes(text)).length;
}

test('a second daemon is refused on the exec root of the first, whatever its pid file, and harms nothing', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'lives', BUSYBOX, 'sleep', '1000');
  const second = async (dataRoot: string, execRoot: string): Promise<string> => {
    const roots = ['--data-root', dataRoot, '--exec-root', execRoot, '--pidfile', join(scratch, 'pid')];
    const own = ['--host', `unix://${join(scratch, 's')}`, '--bridge', daemon.bridge, '--config-file', '/dev/null'];
    const result = await run([join(ROOT, 'bin/wharfd'), ...roots, ...own], { timeoutMs: 20_000 });
    assert.equal(result.code, 1, result.output);
    return result.stderr;
  };
  assert.match(await second(join(scratch, 'data'), daemon.execRoot), /already runs/);
  assert.match(await second(daemon.dataRoot, join(scratch, 'exec')), /another process is using it/);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}}', 'lives'), 'running');
  assert.match(await second('/proc/nowhere', join(scratch, 'exec')), /Cannot start the daemon/);
});

test('hundreds of containers are there again at once after a kill, and those that ran run on', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  const running = Array.from({ length: 12 }, (_, i) => `r${i}`);
  for (const name of running) await daemon.ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
  const next = Array.from({ length: 200 }, (_, i) => `s${i}`);
  const body = JSON.stringify({ Image: BUSYBOX, Cmd: ['true'] });
  const type = `Content-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`;
  const make = async (): Promise<void> => {
    for (let name = next.pop(); name !== undefined; name = next.pop())
      assert.match(await ask(daemon, head(`POST /containers/create?name=${name}`, type) + body), / 201 /);
  };
  await Promise.all([make(), make(), make(), make()]);
  const pids = await daemon.ok('inspect', '-f', '{{.State.Pid}}', ...running);
  for (const end of [() => daemon.kill(), () => daemon.stop()]) {
    await end();
    await daemon.start();
    assert.equal((await daemon.ok('ps', '-aq')).split('\n').length, 212);
    assert.equal(await daemon.ok('inspect', '-f', '{{.State.Pid}}', ...running), pids);
    await daemon.ok('exec', 'r0', 'true');
  }
});
