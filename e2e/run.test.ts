import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment, dockerCli } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

test('docker run prints what the process writes, each stream on its own', async () => {
  const result = await daemon().docker(['run', '--rm', BUSYBOX, 'sh', '-c', 'echo out; echo err >&2']);
  assert.deepEqual(
    { code: result.code, out: result.stdout, err: result.stderr },
    { code: 0, out: 'out\n', err: 'err\n' },
  );
});

test('docker run ends with the exit status of the process', async () => {
  for (const status of [0, 1, 42, 255]) {
    const result = await daemon().docker(['run', '--rm', BUSYBOX, 'sh', '-c', `exit ${status}`]);
    assert.equal(result.code, status);
  }
});

test('docker run ends with 127 for a program that is not there and 126 for one that cannot run', async () => {
  const missing = await daemon().docker(['run', '--rm', BUSYBOX, 'no-such-program']);
  assert.equal(missing.code, 127, missing.output);
  assert.match(missing.stderr, /executable file/i);
  const directory = await daemon().docker(['run', '--rm', BUSYBOX, '/etc']);
  assert.equal(directory.code, 126, directory.output);
});

test('docker run ends with 128 and the number for a signal', async () => {
  const result = await daemon().docker(['run', '--rm', BUSYBOX, 'sh', '-c', 'kill -9 $$']);
  // Process 1 of a pid namespace ignores a signal it sends itself.
  assert.ok([0, 137].includes(result.code), String(result.code));
  const name = uniqueName();
  const running = daemon().docker(['run', '--rm', '--name', name, BUSYBOX, 'sleep', '1000']);
  await eventually('it is killed', async () => (await daemon().docker(['kill', name])).code === 0);
  assert.equal((await running).code, 137);
});

test('docker run -i passes stdin through to its end', async () => {
  const input = 'line\n'.repeat(100_000);
  const result = await daemon().docker(['run', '--rm', '-i', BUSYBOX, 'cat'], { input });
  assert.equal(result.code, 0);
  assert.equal(result.stdout.length, input.length);
  assert.equal(result.stdout, input);
});

test('docker run -it gives the process a terminal of the size of the client', async () => {
  const cli = await dockerCli();
  const line = `stty rows 33 cols 77; ${cli} run --rm -it ${BUSYBOX} sh -c 'test -t 0 && stty size'`;
  const result = await run(['script', '-qec', line, '/dev/null'], {
    env: clientEnvironment(daemon().host),
    timeoutMs: 30_000,
  });
  assert.match(result.stdout, /33 77/, result.output);
});

test('docker run delivers the last bytes of a short process every time', async () => {
  for (let round = 0; round < 20; round += 1) {
    const result = await daemon().docker(['run', '--rm', BUSYBOX, 'sh', '-c', 'seq 1 2000']);
    assert.ok(result.stdout.endsWith('\n2000\n'), `round ${round}: ${result.stdout.slice(-40)}`);
  }
});

test('docker run applies environment, directory, user, hostname and entrypoint', async () => {
  const options = ['-e', 'A=b', '-w', '/var/log', '-u', '65534:100', '-h', 'harbour', '--entrypoint', 'sh'];
  const out = await daemon().ok('run', '--rm', ...options, BUSYBOX, '-c', 'echo $A; pwd; id -u; id -g; hostname');
  assert.equal(out, 'b\n/var/log\n65534\n100\nharbour');
});

test('docker run --rm leaves nothing in ps -a', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--rm', '--name', name, BUSYBOX, 'true');
  assert.equal(await daemon().ok('ps', '-aq', '--filter', `name=${name}`), '');
});

test('docker run -d prints the id of a container that runs', async () => {
  const id = await daemon().ok('run', '-d', BUSYBOX, 'sleep', '1000');
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(await daemon().ok('inspect', '-f', '{{.State.Status}}', id), 'running');
});

test('docker run refuses a name that is taken, in words of Docker', async () => {
  const name = uniqueName();
  await daemon().ok('create', '--name', name, BUSYBOX, 'true');
  const result = await daemon().docker(['create', '--name', name, BUSYBOX, 'true']);
  assert.match(result.stderr, new RegExp(`The container name "/${name}" is already in use by container`));
});

test('docker run with an image that is not there says so', async () => {
  const result = await daemon().docker(['run', '--rm', '--pull', 'never', 'no/such:image']);
  assert.equal(result.code, 125);
  assert.match(result.stderr, /No such image: no\/such:image/);
});

test('docker run --init puts an init before the process', async () => {
  const out = await daemon().ok('run', '--rm', '--init', BUSYBOX, 'sh', '-c', 'cat /proc/1/comm; echo $$');
  assert.match(out, /init/);
});

test('docker run --memory, --cpus and --pids-limit become limits of the control group', async () => {
  const id = await daemon().ok(
    'run',
    '-d',
    '-m',
    '64m',
    '--cpus',
    '0.5',
    '--pids-limit',
    '50',
    BUSYBOX,
    'sleep',
    '1000',
  );
  const shown = await daemon().ok(
    'inspect',
    '-f',
    '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}',
    id,
  );
  assert.equal(shown, '67108864 500000000 50');
  const memory = 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true';
  assert.match(await daemon().ok('exec', id, 'sh', '-c', memory), /67108864/);
});

test('docker run --network none leaves only the loopback device', async () => {
  assert.equal(await daemon().ok('run', '--rm', '--network', 'none', BUSYBOX, 'ls', '/sys/class/net'), 'lo');
});

test('docker run --network host shares the network of the host', async () => {
  const out = await daemon().ok('run', '--rm', '--network', 'host', BUSYBOX, 'ls', '/sys/class/net');
  assert.ok(out.split('\n').includes(daemon().bridge), out);
});

test('docker run --network container: shares the network of another', async () => {
  const id = await daemon().ok('run', '-d', BUSYBOX, 'sleep', '1000');
  const address = await daemon().ok('inspect', '-f', '{{.NetworkSettings.Networks.bridge.IPAddress}}', id);
  const out = await daemon().ok('run', '--rm', '--network', `container:${id}`, BUSYBOX, 'ip', 'addr');
  assert.ok(address !== '' && out.includes(`inet ${address}/`), `${address}: ${out}`);
});

test('docker run --read-only lets nothing be written', async () => {
  const result = await daemon().docker(['run', '--rm', '--read-only', BUSYBOX, 'touch', '/x']);
  assert.notEqual(result.code, 0);
  assert.match(result.stderr, /Read-only file system/);
});

test('docker run shares the network of a container that itself shares another one', async () => {
  const [first, second] = [uniqueName(), uniqueName()];
  await daemon().ok('run', '-d', '--name', first, BUSYBOX, 'sleep', '1000');
  await daemon().ok('run', '-d', '--name', second, '--network', `container:${first}`, BUSYBOX, 'sleep', '1000');
  const look = ['sh', '-c', 'readlink /proc/self/ns/net; cat /etc/hosts'];
  const seen = await daemon().ok('run', '--rm', '--network', `container:${second}`, BUSYBOX, ...look);
  assert.equal(seen, await daemon().ok('exec', first, ...look));
});

test('docker run takes a seccomp profile in the format of Docker', async () => {
  const rule = { names: ['chown', 'fchownat'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_SYS_TIME'] } };
  const profile = join(tmpdir(), `wharf-seccomp-${process.pid}.json`);
  await writeFile(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule] }));
  try {
    const chown = ['--rm', '--security-opt', `seccomp=${profile}`];
    const refused = await daemon().docker(['run', ...chown, BUSYBOX, 'chown', '42', '/etc']);
    assert.equal(refused.code, 1, refused.output);
    await daemon().ok('run', ...chown, '--cap-add', 'SYS_TIME', BUSYBOX, 'chown', '42', '/etc');
  } finally {
    await rm(profile);
  }
});

test('a container has the files by which programs know that it is one, and they are no change of its', async () => {
  const name = uniqueName();
  const look = 'test -f /.dockerenv && readlink /etc/mtab && grep -c " / overlay " /etc/mtab';
  assert.equal(await daemon().ok('run', '--name', name, BUSYBOX, 'sh', '-c', look), '/proc/mounts\n1');
  assert.equal(await daemon().ok('diff', name), '');
  assert.match(await daemon().ok('run', '--rm', '--read-only', BUSYBOX, 'ls', '-a', '/'), /^\.dockerenv$/m);
});
