import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

function field(name: string, format: string): Promise<string> {
  return daemon().ok('inspect', '-f', format, name);
}

test('--restart on-failure:2 tries twice more and gives up', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, '--restart', 'on-failure:2', BUSYBOX, 'sh', '-c', 'exit 3');
  await eventually(
    'it has given up',
    async () => (await field(name, '{{.RestartCount}} {{.State.Status}}')) === '2 exited',
  );
  assert.equal(await field(name, '{{.State.ExitCode}}'), '3');
});

test('--restart always brings a killed process back, but not one that was stopped', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, '--restart', 'always', BUSYBOX, 'sleep', '100000');
  const pid = Number(await field(name, '{{.State.Pid}}'));
  process.kill(pid, 'SIGKILL');
  await eventually('it runs again', async () => {
    const [status, current] = (await field(name, '{{.State.Status}} {{.State.Pid}}')).split(' ');
    return status === 'running' && Number(current) !== pid;
  });
  await daemon().ok('stop', '-t', '0', name);
  assert.equal(await field(name, '{{.State.Status}}'), 'exited');
});

test('a signal that is not the stop signal of the container leaves its restart policy in force', async () => {
  const name = uniqueName();
  const ends = 'trap "exit 5" TERM; while :; do sleep 0.1; done';
  const options = ['-d', '--name', name, '--restart', 'on-failure', '--stop-signal', 'USR1'];
  await daemon().ok('run', ...options, BUSYBOX, 'sh', '-c', ends);
  await daemon().ok('kill', '-s', 'TERM', name);
  await eventually(
    'it runs again',
    async () => (await field(name, '{{.State.Status}} {{.RestartCount}}')) === 'running 1',
  );
  await daemon().ok('stop', '-s', 'TERM', name);
  assert.equal(await field(name, '{{.State.Status}}'), 'exited');
});

test('a health check makes a container healthy, then unhealthy', async () => {
  const name = uniqueName();
  const options = ['--health-cmd', 'test -e /tmp/well', '--health-interval', '200ms', '--health-retries', '1'];
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sh', '-c', 'touch /tmp/well; sleep 100000');
  const health = (status: string) => async () => (await field(name, '{{.State.Health.Status}}')) === status;
  await eventually('it is healthy', health('healthy'));
  await daemon().ok('exec', name, 'rm', '/tmp/well');
  await eventually('it is unhealthy', health('unhealthy'));
  assert.match(
    await daemon().ok('ps', '--filter', 'health=unhealthy', '--format', '{{.Names}} {{.Status}}'),
    new RegExp(`${name} .*unhealthy`),
  );
});

test('memory exhaustion is seen and told', async () => {
  const name = uniqueName();
  await daemon().docker([
    'run',
    '--name',
    name,
    '-m',
    '16m',
    '--memory-swap',
    '16m',
    BUSYBOX,
    'sh',
    '-c',
    'tail /dev/zero',
  ]);
  assert.equal(await field(name, '{{.State.OOMKilled}}'), 'true');
});

test('containers run on while the daemon is killed, and end rightly while it is away', async () => {
  const runs = uniqueName('runs');
  const ends = uniqueName('ends');
  await daemon().ok(
    'run',
    '-d',
    '--name',
    runs,
    BUSYBOX,
    'sh',
    '-c',
    'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done',
  );
  await daemon().ok('run', '-d', '--name', ends, BUSYBOX, 'sh', '-c', 'sleep 0.5; echo last words; exit 21');
  const pid = await field(runs, '{{.State.Pid}}');
  const endingPid = await field(ends, '{{.State.Pid}}');
  await daemon().kill();
  await eventually('the second has ended', async () => !existsSync(`/proc/${endingPid}`));
  await daemon().start();
  assert.equal(await field(runs, '{{.State.Status}} {{.State.Pid}}'), `running ${pid}`);
  assert.equal(await field(ends, '{{.State.Status}} {{.State.ExitCode}}'), 'exited 21');
  assert.equal(await daemon().ok('logs', ends), 'last words');
  await daemon().ok('stop', '-t', '0', runs);
  const lines = (await daemon().ok('logs', runs)).split('\n');
  lines.forEach((line, index) => {
    assert.equal(line, String(index + 1));
  });
});

test('exec, attach and stop work on a container of before the crash', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '-i', '--name', name, BUSYBOX, 'cat');
  await daemon().crash();
  assert.equal(await daemon().ok('exec', name, 'echo', 'in'), 'in');
  // Its stdin is not closed with the client's (no StdinOnce), so the attachment lasts as long as the container; the client itself shows
  // nothing any more once its own input has ended.
  const attached = daemon().docker(['attach', name], { input: 'typed\n' });
  await eventually('it has come back', async () => (await daemon().ok('logs', name)) === 'typed');
  await daemon().ok('rm', '-f', name);
  await attached;
});

test('--restart always starts again with the daemon', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, '--restart', 'always', BUSYBOX, 'sleep', '100000');
  const pid = Number(await field(name, '{{.State.Pid}}'));
  await daemon().kill();
  process.kill(pid, 'SIGKILL');
  await daemon().start();
  await eventually('it runs', async () => (await field(name, '{{.State.Status}}')) === 'running');
  await daemon().ok('rm', '-f', name);
});

test('where the kernel may kill nobody, want of memory is told all the same', async (t) => {
  if ((await daemon().ok('info', '-f', '{{.CgroupVersion}}')) === '2') {
    t.skip('cgroup v2 has no such switch');
    return;
  }
  const name = uniqueName();
  const since = String(Math.floor(Date.now() / 1000));
  const memory = ['-m', '24m', '--memory-swap', '24m', '--oom-kill-disable'];
  const script = 'x=a; while true; do x=$x$x$x$x; done';
  await daemon().ok('run', '-d', '--name', name, ...memory, BUSYBOX, 'sh', '-c', script);
  const filters = ['--filter', `container=${name}`, '--filter', 'event=oom'];
  await eventually('it was told', async () => {
    const until = (Date.now() / 1000).toFixed(3);
    return (await daemon().ok('events', '--since', since, '--until', until, ...filters)).includes(' oom ');
  });
  assert.equal(await field(name, '{{.State.Running}}'), 'true');
  await daemon().ok('rm', '-f', name);
});

test('a process killed for want of memory is told at once, each time, while its container lives on', async () => {
  const name = uniqueName();
  const since = String(Math.floor(Date.now() / 1000));

  const memory = ['-m', '24m', '--memory-swap', '24m'];
  await daemon().ok('run', '-d', '--name', name, ...memory, BUSYBOX, 'sleep', '100000');
  const events = async (): Promise<number> => {
    const until = (Date.now() / 1000).toFixed(3);
    const filters = ['--filter', `container=${name}`, '--filter', 'event=oom'];
    return (await daemon().ok('events', '--since', since, '--until', until, ...filters)).split('\n').filter(Boolean)
      .length;
  };
  for (const kills of [1, 2]) {
    await daemon().docker(['exec', name, 'tail', '/dev/zero']);
    await eventually(`${kills} kills were told`, async () => (await events()) === kills);
  }
  assert.equal(await field(name, '{{.State.Running}} {{.State.OOMKilled}}'), 'true true');
  await daemon().ok('kill', name);
  await daemon().ok('wait', name);
  assert.equal(await events(), 2);
  await daemon().ok('start', name);
  assert.equal(await field(name, '{{.State.OOMKilled}}'), 'false');
});
