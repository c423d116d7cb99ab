import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { must, run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

/** On a disk of its own, so that a flood that is not held back hits this test only. */
const daemon = new TestDaemon({});

before(async () => {
  mkdirSync(daemon.dataRoot);
  await must(['mount', '-t', 'tmpfs', '-o', 'size=600m', 'tmpfs', daemon.dataRoot]);
  await daemon.start();
  await loadBusybox(daemon.host);
  await running('--name', 'calm', BUSYBOX, 'sleep', '300');
});

after(async () => {
  try {
    await daemon.removeContainers();
    await daemon.stop();
    await must(['umount', daemon.dataRoot]);
  } finally {
    await run(['umount', '-ql', daemon.dataRoot]);
    await daemon.dispose();
  }
});

/** The daemon answers, does work, and the host has not lost the container beside. */
async function allIsWell(): Promise<void> {
  assert.equal(await daemon.ok('exec', 'calm', 'echo', 'alive'), 'alive');
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', 'calm'), 'running 0');
  assert.equal(await daemon.ok('run', '--rm', '--network', 'none', BUSYBOX, 'echo', 'new'), 'new');
}

const running = (...options: readonly string[]) => daemon.ok('run', '-d', ...options);

test('a fork bomb stays below --pids-limit, and is ended like any container', async () => {
  const perl = ['-v', '/usr:/usr:ro', '-v', '/usr/lib:/lib:ro', '-v', '/usr/lib64:/lib64:ro'];
  const limits = ['--network', 'none', '--pids-limit', '60', '--cpus', '0.5'];
  await running('--name', 'bomb', ...limits, ...perl, BUSYBOX, 'timeout', '60', '/usr/bin/perl', '-e', 'fork while 1');
  const processes = async () => (await daemon.ok('top', 'bomb', '-eo', 'pid')).split('\n').length - 1;
  await eventually('it has forked', async () => (await processes()) > 30);
  for (let round = 0; round < 3; round++) {
    await allIsWell();
    assert.ok((await processes()) <= 60);
  }
  await daemon.ok('rm', '-f', 'bomb');
});

test('a thousand processes without a limit are ended with their container', async () => {
  const many = 'i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i+1)); done; echo ready; wait';
  await running('--name', 'many', '--network', 'none', BUSYBOX, 'sh', '-c', many);
  await eventually('all are there', async () => (await daemon.ok('logs', 'many')).includes('ready'));
  await allIsWell();
  const pid = Number(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'many'));
  const namespace = readlink(pid);
  await daemon.ok('rm', '-f', 'many');
  assert.equal(processesIn(namespace), 0);
});

function readlink(pid: number): number {
  return statSync(`/proc/${pid}/ns/pid`).ino;
}

function processesIn(namespace: number): number {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && statSync(`/proc/${name}/ns/pid`).ino === namespace;
    } catch {
      return false;
    }
  }).length;
}

test('memory beyond --memory ends the container and nobody else', async () => {
  await running(
    '--name',
    'hungry',
    '--network',
    'none',
    '--memory',
    '32m',
    '--memory-swap',
    '32m',
    BUSYBOX,
    'sh',
    '-c',
    'x=x; while :; do x=$x$x; done',
  );
  assert.equal(await daemon.ok('wait', 'hungry'), '137');
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.OOMKilled}}', 'hungry'), 'true');
  await running(
    '--name',
    'shm',
    '--network',
    'none',
    '--memory',
    '32m',
    '--memory-swap',
    '32m',
    '--shm-size',
    '1g',
    BUSYBOX,
    'dd',
    'if=/dev/zero',
    'of=/dev/shm/x',
    'bs=1M',
    'count=500',
  );
  assert.notEqual(await daemon.ok('wait', 'shm'), '0');
  await allIsWell();
  await daemon.ok('rm', 'hungry', 'shm');
});

test('output without end fills no more disk than is set aside for it, and the daemon no memory', async () => {
  const options = ['--log-driver', 'json-file', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=2', '--cpus', '1'];
  const loud = ['timeout', '60', 'yes', 'all work and no play'];
  await running('--name', 'loud', '--network', 'none', ...options, BUSYBOX, ...loud);
  const directory = join(daemon.dataRoot, 'containers', await daemon.ok('inspect', '-f', '{{.Id}}', 'loud'));
  const size = () =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false }))
      // In blocks of 512 bytes: what was shipped is a hole.
      .reduce((sum, status) => sum + (status?.blocks ?? 0) * 512, 0);
  assert.equal(await daemon.ok('logs', '--tail', '1', 'loud'), 'all work and no play');
  // What waits to be written as Docker has it is bounded too: above that the container's own writes wait.
  const bound = 256 * 1024 * 1024;
  await eventually('it has written more than the bound', async () => {
    await allIsWell();
    assert.ok(size() < bound, `${size()} bytes`);
    return statSync(join(directory, 'log/container.log')).size > 1.5 * bound;
  });
  const memoryMb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1024;
  assert.ok(memoryMb < 500, `${memoryMb} MB`);
  await daemon.ok('rm', '-f', 'loud');
});

test('two thousand connections to a published port leave the API alone', async () => {
  await running('--name', 'crowd', '-p', '127.0.0.1::80', BUSYBOX, 'httpd', '-f', '-p', '80', '-h', '/etc');
  const port = Number((await daemon.ok('port', 'crowd', '80')).split(':').at(-1));
  const sockets: Socket[] = [];
  try {
    const opened = Array.from(
      { length: 2000 },
      () =>
        new Promise<void>((resolve) => {
          const socket = connect(port, '127.0.0.1');
          sockets.push(socket);
          socket.once('connect', () => resolve());
          socket.once('error', () => resolve());
        }),
    );
    await Promise.race([Promise.all(opened), allIsWell()]);
    await allIsWell();
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await daemon.ok('rm', '-f', 'crowd');
});

test('ports by the thousand, again and again, are all given back', async () => {
  for (let round = 0; round < 3; round++) {
    await running('--name', 'wide', '-p', '127.0.0.1:41000-41999:1000-1999', BUSYBOX, 'sleep', '1000');
    await daemon.ok('rm', '-f', 'wide');
  }
  await allIsWell();
});

test('a hundred execs at once all end, and so does a storm of containers', async () => {
  const execs = Array.from({ length: 100 }, (_, at) => daemon.ok('exec', 'calm', 'echo', String(at)));
  assert.deepEqual(
    await Promise.all(execs),
    execs.map((_, at) => String(at)),
  );
  const lives = Array.from({ length: 24 }, (_, at) => daemon.ok('run', '--rm', BUSYBOX, 'echo', String(at)));
  assert.deepEqual(
    await Promise.all(lives),
    lives.map((_, at) => String(at)),
  );
  await allIsWell();
});

test('an environment, a label and a command too large are refused in words', async () => {
  const large = 'x'.repeat(120_000);
  const many = Array.from({ length: 16 }, (_, at) => ['-e', `V${at}=${large}`]).flat();
  // 1.9 MB: the kernel takes about 2 (execve(2), "Limits on size of arguments and environment").
  const result = await daemon.docker(['run', '--rm', '--network', 'none', ...many, BUSYBOX, 'true']);
  assert.ok(result.code === 0 || /argument list too long|too large/i.test(result.stderr), result.stderr.slice(0, 500));
  const path = join(daemon.directory, 'env');
  writeFileSync(path, Array.from({ length: 60 }, (_, at) => `V${at}=${'x'.repeat(60_000)}`).join('\n'));
  const file = await daemon.docker(['run', '--rm', '--network', 'none', '--env-file', path, BUSYBOX, 'true']);
  assert.notEqual(file.code, 124);
  assert.match(file.stderr, /argument list too long|too large/i);
  await allIsWell();
});

test('a container with tens of thousands of files is shown, copied from and removed', async () => {
  const script =
    'mkdir /many && cd /many && i=0; while [ $i -lt 200 ]; do mkdir $i; (cd $i; touch $(seq 1 150)); i=$((i+1)); done; echo ready; sleep 1000';
  await running('--name', 'files', '--network', 'none', BUSYBOX, 'sh', '-c', script);
  await eventually('the files are there', async () => (await daemon.ok('logs', 'files')).includes('ready'));
  const changes = daemon.ok('diff', 'files');
  await allIsWell();
  assert.ok((await changes).split('\n').length > 30_000);
  await daemon.ok('rm', '-f', 'files');
  await allIsWell();
});
