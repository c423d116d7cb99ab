import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile({ arguments: ['--userns-remap', 'default'] });
const scratch = mkdtempSync(join(tmpdir(), 'wharf-userns-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const inspected = (name: string, format: string) => daemon().ok('inspect', '-f', format, name);
const inside = (name: string, script: string) => daemon().ok('exec', name, 'sh', '-c', script);

async function sleeper(...options: readonly string[]): Promise<string> {
  const name = uniqueName('user');
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

/** The host's number of the first user of a container. */
async function rootOf(name: string): Promise<number> {
  const pid = await inspected(name, '{{.State.Pid}}');
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

test('--userns-remap: root in a container is nobody outside, and owns its own files and devices', async () => {
  assert.match(await daemon().ok('info', '-f', '{{.SecurityOptions}}'), /name=userns/);
  const name = await sleeper();
  assert.ok((await rootOf(name)) >= 65_536);
  assert.equal(await inside(name, 'id -u; stat -c %u:%g / /etc/passwd /bin/busybox'), '0\n0:0\n0:0\n0:0');
  await inside(name, 'touch /mine && chown 7:8 /mine && chmod 4755 /mine && mkdir /d && touch /d/f /tmp/t /dev/shm/s');
  assert.equal(await inside(name, 'stat -c %u:%g:%a /mine'), '7:8:4755');
  assert.equal(await inside(name, 'echo x > /dev/null; head -c 3 /dev/zero | wc -c'), '3');
  // On disk the files are any container's, so commit, diff and export say what they always do.
  assert.match(await daemon().ok('diff', name), /A \/mine/);
  await daemon().ok('commit', name, 'userns:committed');
  assert.equal(
    await daemon().ok('run', '--rm', '--userns', 'host', 'userns:committed', 'stat', '-c', '%u:%g', '/mine'),
    '7:8',
  );
  assert.equal(await daemon().ok('run', '--rm', 'userns:committed', 'stat', '-c', '%u:%g', '/mine'), '7:8');
  await daemon().ok('restart', '-t', '0', name);
  assert.equal(await inside(name, 'stat -c %u:%g /mine /etc/hosts'), '7:8\n0:0');
});

test('a container with a user namespace has its network, and may configure it with the capability', async () => {
  const name = await sleeper();
  const address = await inspected(name, '{{.NetworkSettings.Networks.bridge.IPAddress}}');
  const other = await daemon().ok('run', '--rm', BUSYBOX, 'ping', '-c1', '-W2', address);
  assert.match(other, /1 packets received/);
  const link = 'ip addr add 192.0.2.1/32 dev lo && ip addr show lo';
  assert.match(await daemon().ok('run', '--rm', '--cap-add', 'NET_ADMIN', BUSYBOX, 'sh', '-c', link), /192\.0\.2\.1/);
  assert.notEqual((await daemon().docker(['run', '--rm', BUSYBOX, 'sh', '-c', link])).code, 0);
  const joined = await daemon().ok(
    'run',
    '--rm',
    '--network',
    `container:${name}`,
    BUSYBOX,
    'ip',
    'addr',
    'show',
    'eth0',
  );
  assert.match(joined, new RegExp(address));
  const low = await daemon().ok(
    'run',
    '--rm',
    '--user',
    '1000',
    BUSYBOX,
    'sh',
    '-c',
    'nc -l -p 80 -w 1 & sleep 0.2; netstat -ltn',
  );
  assert.match(low, /:80 /);
});

test('runc gives a container its user namespace as crun does', async () => {
  // runc looks for the bundle as the container's root: /run may be searched by all, a temporary directory by none.
  chmodSync(dirname(daemon().socketPath), 0o711);
  const script = 'id -u; touch /mine && stat -c %u:%g /mine; cat /proc/self/uid_map | wc -l';
  const output = await daemon().ok('run', '--rm', '--runtime', 'runc', BUSYBOX, 'sh', '-c', script);
  assert.equal(output, '0\n0:0\n1');
});

test('owners in volumes, binds and tmpfs are those of the container', async () => {
  const volume = uniqueName('data');
  const name = await sleeper('-v', `${volume}:/data`, '-v', `${scratch}/bind:/bind`, '--tmpfs', '/scratch');
  await inside(name, 'echo one > /data/file; chown 33:33 /data/file; touch /bind/file /scratch/file');
  assert.equal(await inside(name, 'stat -c %u:%g /data /data/file /bind/file /scratch'), '0:0\n33:33\n0:0\n0:0');
  const mountpoint = await daemon().ok('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
  assert.deepEqual([statSync(`${mountpoint}/file`).uid, statSync(`${scratch}/bind/file`).uid], [33, 0]);
  writeFileSync(`${scratch}/bind/theirs`, 'x');
  chownSync(`${scratch}/bind/theirs`, 1000, 1000);
  assert.equal(await inside(name, 'stat -c %u:%g /bind/theirs'), '1000:1000');
  assert.equal(
    await daemon().ok('run', '--rm', '-v', `${volume}:/v`, '--userns', 'host', BUSYBOX, 'cat', '/v/file'),
    'one',
  );
});

test('docker cp, exec and logs work through the mapping', async () => {
  const name = await sleeper('-v', `${uniqueName('cp')}:/vol`);
  const file = join(scratch, 'file');
  writeFileSync(file, 'from outside');
  chownSync(file, 12, 13);
  mkdirSync(join(scratch, 'tree/below'), { recursive: true });
  await daemon().ok('cp', file, `${name}:/copied`);
  await daemon().ok('cp', '-a', file, `${name}:/vol/copied`);
  await daemon().ok('cp', join(scratch, 'tree'), `${name}:/tree`);
  assert.equal(await inside(name, 'cat /copied; stat -c %u:%g /vol/copied /tree/below'), 'from outside12:13\n0:0');
  await inside(name, 'chown 21:22 /copied');
  // ustar: the owner's numbers are octal text at 108 and 116 (POSIX pax, "ustar Interchange Format").
  const { stdout } = await daemon().docker(['cp', `${name}:/copied`, '-']);
  assert.deepEqual(
    [stdout.slice(108, 115), stdout.slice(116, 123)].map((octal) => Number.parseInt(octal, 8)),
    [21, 22],
  );
  await inside(name, 'adduser -D -u 2222 fresh || echo fresh:x:2222:2222::/:/bin/sh >> /etc/passwd');
  assert.equal(await daemon().ok('exec', '-u', 'fresh', name, 'id', '-u'), '2222');
  const spoken = await daemon().ok('run', '--rm', BUSYBOX, 'sh', '-c', 'echo to stdout > /dev/stdout');
  assert.equal(spoken, 'to stdout');
  await daemon().ok('stop', '-t', '0', name);
  await daemon().ok('cp', file, `${name}:/stopped`);
  await daemon().ok('start', name);
  assert.equal(await inside(name, 'stat -c %u /stopped'), '12');
});

test("--userns=host opts out; what would undo the namespace is refused in Docker's words", async () => {
  assert.equal(await rootOf(await sleeper('--userns', 'host')), 0);
  for (const [options, words] of [
    [['--privileged'], /privileged mode is incompatible with user namespaces/],
    [['--network', 'host'], /cannot share the host's network namespace when user namespaces are enabled/],
    [['--pid', 'host'], /cannot share the host PID namespace when user namespaces are enabled/],
  ] as const) {
    const refused = await daemon().docker(['run', '--rm', ...options, BUSYBOX, 'true']);
    assert.match(refused.stderr, words);
    await daemon().ok('run', '--rm', ...options, '--userns', 'host', BUSYBOX, 'true');
  }
});

test('--security-opt userns=auto gives ids that no other container has, which a restart keeps', async () => {
  const [one, two] = await Promise.all([
    sleeper('--security-opt', 'userns=auto'),
    sleeper('--security-opt', 'userns=auto'),
  ]);
  const [first, second, shared] = [await rootOf(one), await rootOf(two), await rootOf(await sleeper())];
  assert.ok(Math.abs(first - second) >= 65_536 && first !== shared, `${first} ${second} ${shared}`);
  const volume = uniqueName('common');
  for (const name of ['a', 'b']) {
    await daemon().ok(
      'run',
      '--rm',
      '--security-opt',
      'userns=auto',
      '-v',
      `${volume}:/v`,
      BUSYBOX,
      'touch',
      `/v/${name}`,
    );
  }
  assert.equal(
    await daemon().ok('run', '--rm', '-v', `${volume}:/v`, BUSYBOX, 'stat', '-c', '%u', '/v/a', '/v/b'),
    '0\n0',
  );
  await daemon().crash();
  assert.equal(await inside(one, 'id -u; cat /etc/hostname > /dev/null; echo ok'), '0\nok');
  await daemon().ok('restart', '-t', '0', one);
  assert.equal(await rootOf(one), first);
});

test('what a default container cannot, one with a user namespace cannot with every capability', async () => {
  const script = [
    'mount -o remount,rw /proc/sys',
    'echo h > /proc/sysrq-trigger',
    'echo x > /proc/sys/kernel/core_pattern',
    'mknod /m b 254 0 && head -c1 /m',
    'dmesg',
    'hostname x && cat /proc/sys/kernel/hostname | grep -v x',
    'mkdir /sys/fs/cgroup/memory/x',
    'swapoff -a && swapon /x',
    'insmod /x',
  ].map((line) => `( ${line} ) >/dev/null 2>&1 && echo "worked: ${line.replaceAll('"', '')}"`);
  const options = [
    '--cap-add',
    'ALL',
    '--security-opt',
    'seccomp=unconfined',
    '--security-opt',
    'systempaths=unconfined',
  ];
  const output = await daemon().ok('run', '--rm', ...options, BUSYBOX, 'sh', '-c', `${script.join('\n')}\ntrue`);
  assert.equal(output, '');
});

test('mapped mounts that a killed daemon left are taken down, and what was mounted is not', async () => {
  const execRoot = join(dirname(daemon().socketPath), 'exec');
  const left = join(execRoot, 'mapped', 'f'.repeat(64), '0');
  const precious = join(scratch, 'precious');
  mkdirSync(join(precious, 'below'), { recursive: true });
  writeFileSync(join(precious, 'below/file'), 'kept');
  await daemon().kill();
  mkdirSync(left, { recursive: true });
  await must(['mount', '--bind', precious, left]);
  await daemon().start();
  await eventually('it is taken down', async () => !existsSync(left));
  assert.equal(readFileSync(join(precious, 'below/file'), 'utf8'), 'kept');
  assert.deepEqual(readdirSync(join(execRoot, 'mapped')), []);
});

test("the host's devices are given to no user of a namespace either", async () => {
  const streams = 'for n in 0 1 2; do [ ! -c /proc/self/fd/$n ] || exit 1; done; cat';
  const { code, output } = await daemon().docker(['run', '--rm', '--network', 'none', BUSYBOX, 'sh', '-c', streams]);
  assert.equal(code, 0, output);
  await daemon().ok('run', '--rm', '-t', '--network', 'none', BUSYBOX, 'true');
  assert.equal(statSync('/dev/null').uid, 0);
});
