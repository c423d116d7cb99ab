import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../../scripts/lib/delay.ts';
import { BUSYBOX } from '../lib/images.ts';
import { GUEST_PUBLISHED_PORT } from './guest-files.ts';
import { READY_DEADLINE_MS, serviceIsUp, type VirtualMachine } from './machine.ts';

/** A reboot beside the other tests, without KVM, takes minutes. */
const TEST_DEADLINE_MS = 420_000;
const SHORT_NAP = ['sleep', '3600'];

let vm: VirtualMachine;

function check(name: string, work: () => Promise<void>): void {
  test(name, { timeout: TEST_DEADLINE_MS }, work);
}

async function start(name: string, ...options: readonly string[]): Promise<string> {
  return vm.dockerOk('run', '-d', '--init', '--name', name, ...options, BUSYBOX, ...SHORT_NAP);
}

/** Files of a container's control group, by name; those that are not there are missing. */
async function groupFiles(directory: string, ...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { output } = await vm.run(`cd ${directory} && grep . ${names.join(' ')} /dev/null`);
  const pairs = output.split('\n').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
  });
  return Object.fromEntries(pairs);
}

const groupOf = (id: string) => `/sys/fs/cgroup/wharf/${id}`;
const inspect = (name: string, format: string) => vm.dockerOk('inspect', '-f', format, name);

async function webAnswers(): Promise<void> {
  const fetched = async () => {
    try {
      return (await (await fetch(`http://127.0.0.1:${vm.publishedPort}/`)).text()) === 'hello\n' ? true : undefined;
    } catch {
      return undefined;
    }
  };
  await until('the published port answers', fetched, { timeoutMs: 30_000, everyMs: 100 });
}

/**
 * wharf as a user of a present-day distribution has it: a system service from boot, under systemd, on cgroup v2 alone. The tests build on
 * each other and reboot the machine at their end; what they leave is removed by the last.
 */
export function serviceTests(machine: () => VirtualMachine): void {
  before(() => {
    vm = machine();
  });

  check('the service is up from boot, on cgroup v2 alone', async () => {
    assert.equal(await vm.ok('systemctl is-enabled wharf && stat -fc %T /sys/fs/cgroup'), 'enabled\ncgroup2fs');
    const info = await vm.dockerOk(
      'info',
      '-f',
      '{{.CgroupVersion}} {{.CgroupDriver}} {{.MemoryLimit}} {{.PidsLimit}} {{.Warnings}}',
    );
    assert.equal(info, '2 cgroupfs true true []');
    assert.match(
      await vm.ok('curl -s --unix-socket /run/wharf.sock http://x/_ping; stat -c %a /run/wharf.sock'),
      /^OK660$/,
    );
  });

  check('every limit of docker run is in the files of the group', async () => {
    const id = await start(
      'limits',
      ...['-m', '64m', '--memory-swap', '96m', '--memory-reservation', '32m', '--pids-limit', '50'],
      ...['--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '0', '--cpuset-mems', '0'],
      ...['--blkio-weight', '300', '--device-read-bps', '/dev/vda:1mb', '--device-write-bps', '/dev/vda:2mb'],
      ...['--device-read-iops', '/dev/vda:100', '--device-write-iops', '/dev/vda:200', '--oom-score-adj', '500'],
      ...['--ulimit', 'nofile=100:200', '--shm-size', '8m', '--sysctl', 'net.core.somaxconn=77'],
    );
    const files = await groupFiles(
      groupOf(id),
      ...[
        'memory.max',
        'memory.swap.max',
        'memory.low',
        'pids.max',
        'cpu.max',
        'cpu.weight',
        'cpuset.cpus',
        'cpuset.mems',
      ],
      ...['io.max', 'io.weight'],
    );
    assert.deepEqual(files, {
      'memory.max': '67108864',
      'memory.swap.max': '33554432',
      'memory.low': '33554432',
      'pids.max': '50',
      'cpu.max': '50000 100000',
      'cpu.weight': '20',
      'cpuset.cpus': '0',
      'cpuset.mems': '0',
      'io.max': '254:0 rbps=1048576 wbps=2097152 riops=100 wiops=200',
      // The weight of blkio, 10 to 1000, spread over 1 to 10000.
      'io.weight': 'default 2930',
    });
    const inside =
      'cat /proc/1/oom_score_adj /proc/sys/net/core/somaxconn; ulimit -n; ulimit -Hn; df -k /dev/shm | tail -1';
    assert.match(await vm.dockerOk('exec', 'limits', 'sh', '-c', inside), /^500\n77\n100\n200\nshm +8192 /);
  });

  check('update changes them while the container runs, and lifts them', async () => {
    const id = await inspect('limits', '{{.Id}}');
    const more = ['--memory', '128m', '--memory-swap', '-1', '--memory-reservation', '48m', '--pids-limit', '70'];
    await vm.dockerOk(
      'update',
      ...more,
      '--cpus',
      '1.5',
      '--cpu-shares',
      '1024',
      '--cpuset-cpus',
      '0-1',
      '--blkio-weight',
      '500',
      'limits',
    );
    // systemd goes over its own groups then, and must leave ours alone.
    await vm.ok('systemctl daemon-reload');
    const names = [
      'memory.max',
      'memory.swap.max',
      'memory.low',
      'pids.max',
      'cpu.max',
      'cpu.weight',
      'cpuset.cpus',
      'io.weight',
    ];
    assert.deepEqual(await groupFiles(groupOf(id), ...names), {
      'memory.max': '134217728',
      'memory.swap.max': 'max',
      'memory.low': '50331648',
      'pids.max': '70',
      'cpu.max': '150000 100000',
      'cpu.weight': '39',
      'cpuset.cpus': '0-1',
      'io.weight': 'default 4950',
    });
    await vm.dockerOk('update', '--pids-limit', '-1', '--restart', 'on-failure:3', 'limits');
    assert.equal((await groupFiles(groupOf(id), 'pids.max'))['pids.max'], 'max');
    assert.equal(
      await inspect('limits', '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Memory}}'),
      'on-failure 134217728',
    );
  });

  check('an update that is refused changes nothing, neither in the group nor in the books', async () => {
    const id = await inspect('limits', '{{.Id}}');
    const names = ['memory.max', 'pids.max', 'cpu.max', 'cpuset.mems'];
    const [files, books] = [await groupFiles(groupOf(id), ...names), await inspect('limits', '{{json .HostConfig}}')];
    for (const options of [
      ['--pids-limit', '60', '--cpuset-mems', '1'],
      ['--memory', '256m', '--cpuset-cpus', '9'],
      ['--memory', '1k'],
    ]) {
      assert.notEqual((await vm.docker(['update', ...options, 'limits'])).code, 0);
      assert.deepEqual(await groupFiles(groupOf(id), ...names), files, options.join(' '));
      assert.equal(await inspect('limits', '{{json .HostConfig}}'), books);
    }
  });

  check('stats agree with the files of the group', async () => {
    const id = await inspect('limits', '{{.Id}}');
    await vm.dockerOk('exec', 'limits', 'sh', '-c', 'dd if=/dev/zero of=/dev/shm/x bs=1M count=4 2>/dev/null');
    const text = await vm.ok(
      `curl -s --unix-socket /run/wharf.sock 'http://x/containers/limits/stats?stream=0&one-shot=1'`,
    );
    const stats = JSON.parse(text) as Record<
      string,
      Record<string, unknown> & { readonly stats?: Record<string, number> }
    >;
    const files = await groupFiles(
      groupOf(id),
      'memory.current',
      'memory.max',
      'pids.current',
      'cpu.stat',
      'memory.stat',
    );
    assert.equal(stats['memory_stats']?.['limit'], Number(files['memory.max']));
    assert.ok(Math.abs(Number(stats['memory_stats']?.['usage']) - Number(files['memory.current'])) < 2 * 1024 * 1024);
    assert.ok(Number(stats['memory_stats']?.stats?.['shmem']) >= 4 * 1024 * 1024);
    assert.equal(stats['pids_stats']?.['current'], Number(files['pids.current']));
    assert.equal(
      (await vm.dockerOk('stats', '--no-stream', '--format', '{{.MemUsage}} {{.PIDs}}', 'limits')).split('/ ')[1],
      '128MiB 2',
    );
  });

  check('pause freezes the group, exec joins it', async () => {
    const id = await inspect('limits', '{{.Id}}');
    await vm.dockerOk('pause', 'limits');
    assert.match(await vm.ok(`cat ${groupOf(id)}/cgroup.freeze ${groupOf(id)}/cgroup.events`), /^1\n(.*\n)*frozen 1$/);
    await vm.dockerOk('unpause', 'limits');
    await vm.dockerOk('exec', '-d', 'limits', 'sleep', '3000');
    assert.equal(await vm.ok(`cat ${groupOf(id)}/cgroup.freeze; wc -l < ${groupOf(id)}/cgroup.procs`), '0\n3');
    await vm.dockerOk('rm', '-f', 'limits');
    // In the background: a removal does not wait for the runtime.
    await until('the group goes with the container', async () =>
      (await vm.run(`test -e ${groupOf(id)}`)).code === 1 ? true : undefined,
    );
  });

  check('a container that exceeds its memory ends with 137, OOMKilled and an event', async () => {
    const since = await vm.ok('date +%s');
    const hog = ['sh', '-c', 'x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done'];
    assert.equal(
      (await vm.docker(['run', '--name', 'hog', '-m', '16m', '--memory-swap', '16m', BUSYBOX, ...hog])).code,
      137,
    );
    assert.equal(await inspect('hog', '{{.State.OOMKilled}} {{.State.ExitCode}}'), 'true 137');
    const until = await vm.ok('date +%s');
    const events = ['events', '--since', since, '--until', String(Number(until) + 1), '--filter', 'event=oom'];
    assert.match(await vm.dockerOk(...events, '--format', '{{.Actor.Attributes.name}}'), /^hog$/m);
    await vm.dockerOk('rm', 'hog');
  });

  check('a child killed for want of memory is told while its container lives on', async () => {
    await vm.dockerOk('run', '-d', '--name', 'survivor', '-m', '24m', '--memory-swap', '24m', BUSYBOX, 'sleep', '1000');
    await vm.docker(['exec', 'survivor', 'tail', '/dev/zero']);
    await until('the kill is told', async () =>
      (await inspect('survivor', '{{.State.OOMKilled}} {{.State.Running}}')) === 'true true' ? true : undefined,
    );
    await vm.dockerOk('rm', '-f', 'survivor');
  });

  check('a fork bomb stops at the limit of pids', async () => {
    const bomb = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 30 & done; wait';
    const result = await vm.docker(['run', '--rm', '--pids-limit', '8', BUSYBOX, 'sh', '-c', bomb]);
    assert.match(result.output, /can't fork/);
  });

  check('devices are opened by the rules alone', async () => {
    const read = 'mknod /tmp/disk b 254 0; dd if=/tmp/disk of=/dev/null bs=512 count=1';
    const forbidden = await vm.docker(['run', '--rm', BUSYBOX, 'sh', '-c', read]);
    assert.match(forbidden.output, /Operation not permitted/);
    await vm.dockerOk('run', '--rm', '--device-cgroup-rule', 'b 254:0 r', BUSYBOX, 'sh', '-c', read);
    await vm.dockerOk(
      'run',
      '--rm',
      '--device',
      '/dev/vda:/dev/x:r',
      BUSYBOX,
      'dd',
      'if=/dev/x',
      'of=/dev/null',
      'bs=512',
      'count=1',
    );
    const written = ['run', '--rm', '--device', '/dev/vda:/dev/x:r', BUSYBOX, 'sh', '-c', ': > /dev/x'];
    assert.match((await vm.docker(written)).output, /Operation not permitted/);
  });

  check('a published port answers from outside of the machine', async () => {
    await vm.dockerOk(
      ...['run', '-d', '--name', 'web', '--restart', 'always', '-p', `${GUEST_PUBLISHED_PORT}:80`, '-v', 'kept:/www'],
      ...[BUSYBOX, 'sh', '-c', 'test -e /www/index.html || echo hello > /www/index.html; exec httpd -f -h /www'],
    );
    await webAnswers();
  });

  check('systemctl restart and a crash leave containers running', async () => {
    await start('stays');
    const pid = await inspect('stays', '{{.State.Pid}}');
    const daemon = await vm.ok('systemctl show -p MainPID --value wharf');
    await vm.run('systemctl restart wharf', READY_DEADLINE_MS);
    assert.equal(await inspect('stays', '{{.State.Status}} {{.State.Pid}}'), `running ${pid}`);
    const second = await vm.ok('systemctl show -p MainPID --value wharf');
    assert.notEqual(second, daemon);
    await vm.ok(`kill -9 ${second}`);
    await until(
      'systemd has started it again',
      async () => (['0', second].includes(await vm.ok('systemctl show -p MainPID --value wharf')) ? undefined : true),
      { timeoutMs: 30_000, everyMs: 200 },
    );
    await serviceIsUp(vm);
    assert.equal(await inspect('stays', '{{.State.Status}} {{.State.Pid}}'), `running ${pid}`);
    await webAnswers();
  });

  check('systemd makes the groups where asked to', async () => {
    await vm.dockerOk('rm', '-f', 'stays');
    await vm.ok(`sed -i 's/^{/{"exec-opts":["native.cgroupdriver=systemd"],/' /etc/wharf/daemon.json`);
    await vm.run('systemctl restart wharf', READY_DEADLINE_MS);
    assert.equal(await vm.dockerOk('info', '-f', '{{.CgroupDriver}}'), 'systemd');
    const id = await start('scoped', '-m', '32m', '--cgroup-parent', 'tests.slice');
    const scope = `wharf-${id}.scope`;
    const directory = `/sys/fs/cgroup/tests.slice/${scope}`;
    assert.equal(await vm.ok(`systemctl is-active ${scope}; cat ${directory}/memory.max`), 'active\n33554432');
    await vm.dockerOk('update', '--memory', '48m', '--memory-swap', '48m', 'scoped');
    // systemd writes its own settings again then.
    await vm.ok('systemctl daemon-reload');
    assert.equal(await vm.ok(`cat ${directory}/memory.max ${directory}/memory.swap.max`), '50331648\n0');
    assert.match(await vm.dockerOk('top', 'scoped'), /sleep 3600/);
    const refused = await vm.docker(['run', '--cgroup-parent', '/a/b', BUSYBOX, 'true']);
    assert.match(refused.output, /cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"/);
    await vm.dockerOk('rm', '-f', 'scoped');
    assert.equal((await vm.run(`test -e ${directory}`)).code, 1);
    await start('stopped', '--restart', 'unless-stopped');
    await start('back', '--restart', 'unless-stopped');
    await vm.dockerOk('stop', '-t', '1', 'stopped');
  });

  check('a reboot brings back what restart policies want running, with its volumes and ports', async () => {
    await vm.reboot();
    await serviceIsUp(vm);
    await webAnswers();
    await until(
      'the policy is done',
      async () => ((await inspect('back', '{{.State.Status}}')) === 'running' ? true : undefined),
      {
        timeoutMs: 30_000,
        everyMs: 200,
      },
    );
    assert.equal(await inspect('stopped', '{{.State.Status}}'), 'exited');
    assert.equal(await inspect('web', '{{.State.OOMKilled}} {{.State.Running}}'), 'false true');
  });

  after(async () => {
    await vm.docker(['rm', '-f', ...(await vm.dockerOk('ps', '-aq')).split('\n')]);
  });
}
