import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();

function field(name: string, format: string): Promise<string> {
  return daemon().ok('inspect', '-f', format, name);
}

async function sleeper(...options: readonly string[]): Promise<string> {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '100000');
  return name;
}

test('docker stop sends the stop signal and books the exit', async () => {
  const name = uniqueName();
  const script = 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.1; done';
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', script);
  await eventually('it is ready', async () => (await daemon().ok('logs', name)) === 'ready');
  await daemon().ok('stop', name);
  assert.equal(await field(name, '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}'), 'exited 7 0');
  assert.equal(await daemon().ok('logs', name), 'ready\nbye');
});

test('docker stop -t kills what does not listen', async () => {
  const name = await sleeper();
  await daemon().ok('stop', '-t', '0', name);
  assert.equal(await field(name, '{{.State.ExitCode}}'), '137');
});

test('docker stop of a stopped container succeeds, start of a running one too', async () => {
  const name = await sleeper();
  await daemon().ok('start', name);
  await daemon().ok('stop', '-t', '0', name);
  await daemon().ok('stop', name);
});

test('docker start -a replays a stopped container with its writes', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, BUSYBOX, 'sh', '-c', 'echo run >> /count; cat /count');
  assert.equal(await daemon().ok('start', '-a', name), 'run\nrun');
});

test('docker restart gives a new process', async () => {
  const name = await sleeper();
  const before = await field(name, '{{.State.Pid}} {{.State.StartedAt}}');
  await daemon().ok('restart', '-t', '0', name);
  const after = await field(name, '{{.State.Pid}} {{.State.StartedAt}}');
  assert.notEqual(before, after);
  assert.equal(await field(name, '{{.State.Status}}'), 'running');
});

test('docker kill sends any signal', async () => {
  const name = uniqueName();
  const script = 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done';
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', script);
  await eventually('it is ready', async () => (await daemon().ok('logs', name)) === 'ready');
  await daemon().ok('kill', '-s', 'USR1', name);
  await eventually('the signal has come', async () => (await daemon().ok('logs', name)).includes('usr1'));
  await daemon().ok('kill', name);
  assert.equal(await daemon().ok('wait', name), '137');
  const again = await daemon().docker(['kill', name]);
  assert.match(again.stderr, /is not running/);
});

test('docker pause freezes and unpause goes on', async () => {
  const name = await sleeper();
  await daemon().ok('pause', name);
  assert.equal(await field(name, '{{.State.Status}} {{.State.Paused}}'), 'paused true');
  assert.match(await daemon().ok('ps', '--filter', `name=${name}`, '--format', '{{.Status}}'), /Paused/);
  await daemon().ok('unpause', name);
  assert.equal(await field(name, '{{.State.Status}}'), 'running');
});

test('docker rename answers to the new name only', async () => {
  const name = await sleeper();
  const renamed = uniqueName('renamed');
  await daemon().ok('rename', name, renamed);
  assert.equal(await field(renamed, '{{.Name}}'), `/${renamed}`);
  assert.match((await daemon().docker(['inspect', name])).stderr, /no such object/i);
});

test('docker update changes limits of a running container', async () => {
  const name = await sleeper('-m', '64m');
  await daemon().ok('update', '-m', '128m', '--memory-swap', '256m', '--restart', 'always', name);
  assert.equal(await field(name, '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}'), '134217728 always');
  await daemon().ok('update', '--restart', 'no', name);
});

test('docker rm refuses a running container without -f', async () => {
  const name = await sleeper();
  const refused = await daemon().docker(['rm', name]);
  assert.match(
    refused.stderr,
    /cannot remove container .*: container is running: stop the container before removing or force remove/,
  );
  await daemon().ok('rm', '-f', name);
  assert.match((await daemon().docker(['rm', name])).stderr, /No such container/);
});

test('docker wait ends with the container', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', 'sleep 0.3; exit 5');
  assert.equal(await daemon().ok('wait', name), '5');
});

test('docker ps filters by name, label, status and ancestor', async () => {
  const name = await sleeper('--label', 'team=blue');
  const ids = async (...filters: readonly string[]) =>
    (await daemon().ok('ps', '-a', '--format', '{{.Names}}', ...filters.flatMap((one) => ['--filter', one]))).split(
      '\n',
    );
  assert.deepEqual(await ids('label=team=blue'), [name]);
  assert.deepEqual(await ids(`name=^/${name}$`), [name]);
  assert.ok((await ids('status=running', `ancestor=${BUSYBOX}`)).includes(name));
  assert.deepEqual(await ids('label=team=blue', 'status=exited'), ['']);
});

test('docker ps shows columns of a running container', async () => {
  const name = await sleeper('-p', '80');
  const row = await daemon().ok(
    'ps',
    '--filter',
    `name=${name}`,
    '--format',
    '{{.Image}}|{{.Command}}|{{.Status}}|{{.Ports}}',
  );
  assert.match(row, /^busybox:e2e\|"sleep 100000"\|Up .*\|0\.0\.0\.0:\d+->80\/tcp/);
});

test('docker top lists the processes', async () => {
  const name = await sleeper();
  assert.match(await daemon().ok('top', name), /sleep 100000/);
  assert.match(await daemon().ok('top', name, '-o', 'pid,comm'), /sleep/);
});

test('docker stats shows a running container', async () => {
  const name = await sleeper();
  const line = await daemon().ok('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', name);
  assert.match(line, new RegExp(`^${name} \\S+ / \\S+ \\d+$`));
});

test('docker events tells a life in order', async () => {
  const name = uniqueName();
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await daemon().ok('run', '--rm', '--name', name, BUSYBOX, 'true');
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const text = await daemon().ok(
    'events',
    '--since',
    since,
    '--until',
    until,
    '--filter',
    `container=${name}`,
    '--format',
    '{{.Action}}',
  );
  assert.deepEqual(text.split('\n'), ['create', 'attach', 'start', 'die', 'destroy']);
});

test('a signal right behind the start reaches the program', async () => {
  const name = uniqueName();
  const program = 'trap "exit 7" TERM; while :; do sleep 0.1; done';
  await daemon().ok('create', '--name', name, '--network', 'none', BUSYBOX, 'sh', '-c', program);
  const post = ['-sS', '--unix-socket', daemon().socketPath, '-X', 'POST'];
  const path = `http://d/containers/${name}`;
  await run(['curl', ...post, `${path}/start`, '--next', ...post, `${path}/kill?signal=TERM`]);
  assert.equal(await daemon().ok('wait', name), '7');
});

test('docker events tells of volumes and networks around the life of a container', async () => {
  const name = uniqueName();
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await daemon().ok('run', '--rm', '--name', name, '-v', `${name}:/data`, BUSYBOX, 'true');
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const format = ['--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.container}} {{.Actor.Attributes.name}}'];
  const lines = (await daemon().ok('events', '--since', since, '--until', until, ...format)).split('\n');
  const id = lines.map((line) => /^volume mount ([0-9a-f]{64})/.exec(line)?.[1]).find((found) => found !== undefined);
  assert.ok(id, lines.join('\n'));
  const own = lines.filter((line) => line.includes(id) || line.endsWith(` ${name}`));
  assert.deepEqual(
    own.map((line) => line.split(' ', 2).join(' ')),
    [
      ...['container create', 'container attach', 'volume mount', 'network connect', 'container start'],
      ...['network disconnect', 'volume unmount', 'container die', 'container destroy'],
    ],
  );
  await daemon().ok('volume', 'rm', name);
});

test('docker container prune removes what has stopped', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, '--label', 'prune=me', BUSYBOX, 'true');
  const out = await daemon().ok('container', 'prune', '-f', '--filter', 'label=prune=me');
  assert.match(out, /Deleted Containers:\n[0-9a-f]{64}/);
  assert.match((await daemon().docker(['inspect', name])).stderr, /no such object/i);
});

test('docker info and version answer', async () => {
  assert.match(
    await daemon().ok('info', '--format', '{{.ServerVersion}} {{.Driver}} {{.CgroupDriver}}'),
    /^\d+\.\d+\.\d+\S* \S+ cgroupfs$/,
  );
  assert.match(await daemon().ok('version', '--format', '{{.Server.APIVersion}}'), /^1\.\d+$/);
  await daemon().ok('system', 'df', '-v');
});

test('docker inspect tells clients before 1.45 of the short id among the aliases', async () => {
  const name = uniqueName();
  await daemon().ok('network', 'create', name);
  const id = await daemon().ok('create', '--name', name, '--network', name, '--network-alias', 'quay', BUSYBOX, 'true');
  const aliases = async (version: string): Promise<unknown> => {
    const url = `http://d/v${version}/containers/${name}/json`;
    const { stdout } = await run(['curl', '-sS', '--unix-socket', daemon().socketPath, url]);
    return JSON.parse(stdout).NetworkSettings.Networks[name].Aliases;
  };
  assert.deepEqual(await aliases('1.44'), ['quay', id.slice(0, 12)]);
  assert.deepEqual(await aliases('1.45'), ['quay']);
  await daemon().ok('rm', name);
  await daemon().ok('network', 'rm', name);
});

test('docker rm -f in the middle of a start leaves no process behind', async () => {
  const mark = `3${process.pid}`;
  for (let round = 0; round < 5; round += 1) {
    const name = uniqueName();
    await daemon().ok('create', '--name', name, BUSYBOX, 'sleep', mark);
    await Promise.all([daemon().docker(['start', name]), daemon().docker(['rm', '-f', name])]);
  }
  const left = await run(['pgrep', '-f', `^sleep ${mark}$`]);
  assert.equal(left.stdout, '');
});

test('docker stop right after the start reaches a program that sets up a handler', async () => {
  const script = 'trap "exit 7" TERM; while :; do sleep 0.02; done';
  for (let round = 0; round < 5; round++) {
    const name = uniqueName();
    await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sh', '-c', script);
    await daemon().ok('stop', '-t', '60', name);
    assert.equal(await daemon().ok('inspect', '-f', '{{.State.ExitCode}}', name), '7');
  }
});

test('docker checkpoint says what there is not, and what the host lacks', async () => {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
  const request = async (method: string, path: string, body?: object) => {
    const { request: send } = process.getBuiltinModule('node:http');
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
    const asked = send({
      socketPath: daemon().socketPath,
      method,
      path,
      headers: { 'content-type': 'application/json' },
    });
    asked.on('error', reject).on('response', (response) => {
      response.toArray().then((pieces) => {
        resolve({ status: response.statusCode ?? 0, text: String(Buffer.concat(pieces)) });
      }, reject);
    });
    asked.end(body && JSON.stringify(body));
    return promise;
  };
  const made = await request('POST', `/containers/${name}/checkpoints`, { CheckpointID: 'one' });
  assert.equal(made.status, 501);
  assert.match(
    made.text,
    /Cannot checkpoint container .*: checkpoints are not part of this version of wharf \(this host/,
  );
  assert.equal((await request('POST', `/containers/${name}/checkpoints`, { CheckpointID: '../x' })).status, 400);
  assert.deepEqual(await request('GET', `/containers/${name}/checkpoints`), { status: 200, text: '[]\n' });
  assert.equal((await request('DELETE', `/containers/${name}/checkpoints/one`)).status, 404);
});
