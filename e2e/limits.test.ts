import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const cdi = mkdtempSync(join(tmpdir(), 'wharf-cdi-'));
after(() => rmSync(cdi, { recursive: true, force: true }));
writeFileSync(
  join(cdi, 'example.json'),
  JSON.stringify({
    cdiVersion: '0.6.0',
    kind: 'example.com/device',
    containerEdits: { env: ['COMMON=yes'] },
    devices: [
      { name: 'one', containerEdits: { env: ['ONE=1'], deviceNodes: [{ path: '/dev/one', hostPath: '/dev/null' }] } },
      {
        name: 'two',
        containerEdits: { mounts: [{ hostPath: cdi, containerPath: '/specs', options: ['ro', 'bind'] }] },
      },
    ],
  }),
);
writeFileSync(join(cdi, 'broken.json'), '{');

const daemon = daemonForFile({ arguments: ['--cdi-spec-dir', cdi, '--default-ulimit', 'nofile=300:400'] });

const run = (...args: readonly string[]) => daemon().docker(['run', '--rm', '--network', 'none', ...args]);
const sh = (options: readonly string[], script: string) => run(...options, BUSYBOX, 'sh', '-c', script);

/** The directories of a container's control group, by the controllers' file names. */
function groupFile(path: string, file: string): string {
  const roots = readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name, path, file));
  const found = [join('/sys/fs/cgroup', path, file), ...roots].find((each) => existsSync(each));
  assert.ok(found, `${file} of ${path}`);
  return readFileSync(found, 'utf8').trim();
}

async function start(...options: readonly string[]): Promise<{ readonly name: string; readonly group: string }> {
  const name = uniqueName();
  const id = await daemon().ok('run', '-d', '--network', 'none', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return { name, group: `wharf/${id}` };
}

const inspect = (name: string, format: string) => daemon().ok('inspect', '-f', format, name);
const version2 = async () => (await daemon().ok('info', '-f', '{{.CgroupVersion}}')) === '2';

test('limits are in the control group, follow update, and are lifted by it', async () => {
  const { name, group } = await start(
    '--pids-limit',
    '40',
    '-m',
    '64m',
    '--memory-swap',
    '64m',
    '--cpu-quota',
    '20000',
  );
  const memory = (await version2()) ? 'memory.max' : 'memory.limit_in_bytes';
  assert.equal(groupFile(group, 'pids.max'), '40');
  assert.equal(groupFile(group, memory), String(64 * 1024 * 1024));
  await daemon().ok('update', '--pids-limit', '50', '-m', '96m', '--memory-swap', '96m', '--cpu-quota', '30000', name);
  assert.equal(groupFile(group, 'pids.max'), '50');
  assert.equal(groupFile(group, memory), String(96 * 1024 * 1024));
  assert.match(await daemon().ok('stats', '--no-stream', '--format', '{{.MemUsage}}', name), / \/ 96MiB$/);
  await daemon().ok('update', '--pids-limit', '-1', '--cpu-quota', '-1', name);
  assert.equal(groupFile(group, 'pids.max'), 'max');
  const quota = (await version2()) ? 'cpu.max' : 'cpu.cfs_quota_us';
  assert.match(groupFile(group, quota), /^(-1|max 100000)$/);
  await daemon().ok('rm', '-f', name);
});

test('an update that the kernel refuses half-way leaves nothing of it', async () => {
  if (await version2()) return; // There the kernel takes every memory limit, and kills.
  const { name, group } = await start('--pids-limit', '40');
  await daemon().ok('exec', name, 'dd', 'if=/dev/zero', 'of=/dev/shm/x', 'bs=1M', 'count=20');
  const before = ['pids.max', 'cpu.shares', 'memory.limit_in_bytes'].map((file) => groupFile(group, file));
  const books = await inspect(name, '{{json .HostConfig}}');
  const more = ['--pids-limit', '33', '--cpu-shares', '77', '-m', '8m', '--memory-swap', '8m'];
  const refused = await daemon().docker(['update', ...more, name]);
  assert.match(refused.output, /Cannot update container .*memory.limit_in_bytes/);
  assert.deepEqual(
    ['pids.max', 'cpu.shares', 'memory.limit_in_bytes'].map((file) => groupFile(group, file)),
    before,
  );
  assert.equal(await inspect(name, '{{json .HostConfig}}'), books);
  await daemon().ok('rm', '-f', name);
});

test('ulimits: the daemon’s defaults, the container’s own, and never a failure for want of privilege', async () => {
  assert.equal((await sh([], 'ulimit -n; ulimit -Hn')).stdout, '300\n400\n');
  assert.equal((await sh(['--ulimit', 'nofile=100:200'], 'ulimit -n; ulimit -Hn')).stdout, '100\n200\n');
  const large = await sh(['--ulimit', 'nofile=900000000:900000000'], 'ulimit -Hn');
  // Where the daemon may raise limits, the kernel's own bound (fs.nr_open) holds.
  if (large.code === 0) assert.match(large.stderr, /Ulimit nofile is lowered to \d+/);
});

test('a container finds its shm, its OOM score and its sysctls', async () => {
  const options = ['--shm-size', '8m', '--oom-score-adj', '300', '--sysctl', 'net.core.somaxconn=77'];
  const script = 'df -k /dev/shm | tail -1; cat /proc/1/oom_score_adj /proc/sys/net/core/somaxconn';
  assert.match((await sh(options, script)).stdout, /^shm +8192 .*\n300\n77\n$/);
});

test('sysctls of the host are refused in Docker’s words', async () => {
  for (const [options, words] of [
    [['--network', 'host', '--sysctl', 'net.core.somaxconn=1'], 'not allowed in host network namespace'],
    [['--ipc', 'host', '--sysctl', 'kernel.shmmax=1'], 'is not allowed in the hosts ipc namespace'],
  ] as const) {
    const refused = await daemon().docker(['run', '--rm', ...options, BUSYBOX, 'true']);
    assert.ok(refused.stderr.includes(words), refused.stderr);
  }
});

test('devices come with their permissions, and without --device there are none', async () => {
  // fuse: opening it needs no privilege, and whether the kernel has it does not matter here.
  const open = 'mknod /tmp/fuse c 10 229; : < /tmp/fuse';
  assert.match((await sh([], open)).output, /Operation not permitted/);
  assert.doesNotMatch((await sh(['--device-cgroup-rule', 'c 10:229 rw'], open)).output, /Operation not permitted/);
  assert.match((await sh(['--device', '/dev/kmsg:/dev/k:w'], 'head -c 1 /dev/k')).output, /Operation not permitted/);
  const missing = await sh(['--device', '/dev/no-such'], 'true');
  assert.match(missing.stderr, /error gathering device information while adding custom device "\/dev\/no-such"/);
});

test('CDI devices bring what their specification says; info lists them and what is wrong', async () => {
  const devices = ['--device', 'example.com/device=one', '--device', 'example.com/device=two'];
  const { stdout } = await sh(devices, 'echo $COMMON $ONE; test -c /dev/one && ls /specs');
  assert.equal(stdout, 'yes 1\nbroken.json\nexample.json\n');
  const unknown = await run('--device', 'example.com/device=three', BUSYBOX, 'true');
  assert.match(unknown.stderr, /CDI device injection failed: unresolvable CDI devices example.com\/device=three/);
  const info = JSON.parse(await daemon().ok('info', '-f', '{{json .}}')) as Record<string, unknown>;
  assert.deepEqual(info['CDISpecDirs'], [cdi]);
  assert.ok(JSON.stringify(info['Warnings']).includes('CDI: Error associated with spec file'));
});

test('--gpus without a device is refused as dockerd does', async () => {
  const refused = await run('--gpus', 'all', BUSYBOX, 'true');
  assert.match(refused.stderr, /could not select device driver "" with capabilities: \[\[gpu\]\]/);
});

test('--cgroup-parent is where the group is; what would leave the tree is refused', async () => {
  const parent = `wharf-test-${process.pid}`;
  const name = uniqueName();
  const id = await daemon().ok(
    ...['run', '-d', '--name', name, '--network', 'none', '--pids-limit', '9', '--cgroup-parent', `/${parent}/below`],
    ...[BUSYBOX, 'sleep', '1000'],
  );
  assert.equal(groupFile(`${parent}/below/${id}`, 'pids.max'), '9');
  await daemon().ok('rm', '-f', name);
  // The group goes in the background: a removal does not wait for the runtime.
  await eventually('the group is gone', async () => groupsBelow(parent, id).length === 0);
  removeParents(parent);
  assert.match((await run('--cgroup-parent', '/..', BUSYBOX, 'true')).stderr, /invalid cgroup-parent/);
});

/** The hierarchies' roots, of which there is one or many. */
const groupRoots = (): string[] => [
  '/sys/fs/cgroup',
  ...readdirSync('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name)),
];

const groupsBelow = (parent: string, id: string): string[] =>
  groupRoots()
    .map((root) => join(root, parent, 'below', id))
    .filter((path) => existsSync(path));

/** Docker leaves parents, too: they are the user's. */
function removeParents(parent: string): void {
  for (const directory of groupRoots().flatMap((root) => [join(root, parent, 'below'), join(root, parent)])) {
    if (existsSync(directory)) rmdirSync(directory);
  }
}

test('a control group that someone removed is noticed, and the container can still be ended', async () => {
  const { name, group } = await start('-m', '64m');
  const pid = await inspect(name, '{{.State.Pid}}');
  const roots = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((each) => join('/sys/fs/cgroup', each))];
  for (const directory of roots.map((root) => join(root, group)).filter((each) => existsSync(each))) {
    writeFileSync(join(dirname(dirname(directory)), 'cgroup.procs'), pid);
    rmdirSync(directory);
  }
  const stats = await daemon().ok('stats', '--no-stream', '--format', '{{.MemUsage}}', name);
  assert.equal(stats, '0B / 0B', 'the counters of the whole host are not its own');
  assert.notEqual((await daemon().docker(['update', '-m', '32m', name])).code, 0);
  await daemon().ok('stop', '-t', '0', name);
  await daemon().ok('start', name);
  assert.match(await daemon().ok('stats', '--no-stream', '--format', '{{.MemUsage}}', name), / \/ 64MiB$/);
  await daemon().ok('rm', '-f', name);
});

test('limits that contradict each other are refused in Docker’s words', async () => {
  for (const [options, words] of [
    [['-m', '4m'], 'Minimum memory limit allowed is 6MB'],
    [['-m', '20m', '--memory-swap', '10m'], 'Minimum memoryswap limit should be larger than memory limit, see usage'],
    [
      ['-m', '20m', '--memory-reservation', '30m'],
      'Minimum memory limit can not be less than memory reservation limit',
    ],
    [['--cpuset-cpus', '4096'], 'Requested CPUs are not available - requested 4096, available: '],
    [['--cpu-period', '1'], 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
    [['--cpu-quota', '1'], 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
    [['--cpus', '4096'], 'range of CPUs is from 0.01 to '],
    [['--oom-score-adj', '1001'], 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
  ] as const) {
    const refused = await run(...options, BUSYBOX, 'true');
    assert.ok(refused.stderr.includes(words), refused.stderr);
  }
});
