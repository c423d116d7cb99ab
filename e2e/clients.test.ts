import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import Docker from 'dockerode';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-clients-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('dockerode creates, attaches, starts, waits, execs and removes', async () => {
  const docker = new Docker({ socketPath: daemon().socketPath });
  const container = await docker.createContainer({
    Image: BUSYBOX,
    Cmd: ['cat'],
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
  });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  const out = new PassThrough();
  docker.modem.demuxStream(stream, out, out);
  await container.start();
  const execution = await container.exec({ Cmd: ['echo', 'from exec'], AttachStdout: true });
  const execStream = await execution.start({});
  const execOut = new PassThrough();
  docker.modem.demuxStream(execStream, execOut, execOut);
  const execText: Buffer[] = [];
  execOut.on('data', (chunk: Buffer) => execText.push(chunk));
  await new Promise((resolve) => execStream.once('end', resolve));
  assert.equal(Buffer.concat(execText).toString(), 'from exec\n');
  assert.equal((await execution.inspect()).ExitCode, 0);
  stream.end('typed\n');
  const text: Buffer[] = [];
  out.on('data', (chunk: Buffer) => text.push(chunk));
  const { StatusCode } = (await container.wait()) as { readonly StatusCode: number };
  assert.equal(StatusCode, 0);
  await eventually('the output has come', async () => Buffer.concat(text).toString() === 'typed\n');
  await container.remove();
});

test('whoever sees the end of an attached stream finds the exit booked', async () => {
  const docker = new Docker({ socketPath: daemon().socketPath });
  for (let code = 1; code <= 5; code += 1) {
    const container = await docker.createContainer({ Image: BUSYBOX, Cmd: ['sh', '-c', `echo bye; exit ${code}`] });
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const ended = new Promise((resolve) => stream.once('end', resolve));
    stream.resume();
    await container.start();
    await ended;
    const { State } = await container.inspect();
    assert.deepEqual({ status: State.Status, code: State.ExitCode }, { status: 'exited', code });
    await container.remove();
  }
});

test('dockerode follows logs and events', async () => {
  const docker = new Docker({ socketPath: daemon().socketPath });
  const events = await docker.getEvents({ filters: { type: ['container'], label: ['who=dockerode'] } });
  const seen: string[] = [];
  events.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n'))
      seen.push((JSON.parse(line) as { readonly Action: string }).Action);
  });
  const container = await docker.createContainer({
    Image: BUSYBOX,
    Cmd: ['seq', '1', '3'],
    Tty: true,
    Labels: { who: 'dockerode' },
  });
  await container.start();
  await container.wait();
  const logs = await container.logs({ stdout: true, stderr: true, follow: false });
  assert.equal(logs.toString(), '1\r\n2\r\n3\r\n');
  await container.remove();
  await eventually('the last event', async () => seen.includes('destroy'));
  assert.deepEqual(seen, ['create', 'start', 'die', 'destroy']);
  (events as unknown as { destroy(): void }).destroy();
});

test('docker-py runs, lists, execs and removes', async () => {
  const script = `
import docker
client = docker.from_env(version='auto')
assert client.ping()
out = client.containers.run('${BUSYBOX}', ['sh', '-c', 'echo out; echo err >&2'], remove=True, stderr=True)
assert sorted(out.decode().split()) == ['err', 'out'], out
c = client.containers.run('${BUSYBOX}', 'sleep 1000', detach=True, labels={'who': 'py'}, tty=True, name='from-py')
assert [x.name for x in client.containers.list(filters={'label': 'who=py'})] == ['from-py']
code, output = c.exec_run('echo hello')
assert (code, output) == (0, b'hello\\n'), (code, output)
s = c.exec_run('cat', stdin=True, socket=True).output
s._sock.send(b'typed\\n')
c.put_archive('/tmp', b'\\0' * 1024)
bits, stat = c.get_archive('/etc/passwd')
assert stat['name'] == 'passwd', stat
assert sum(len(b) for b in bits) > 512
assert c.stats(stream=False)['memory_stats'] is not None
c.pause(); c.unpause()
c.kill()
assert c.wait()['StatusCode'] == 137
c.remove()
try:
    client.containers.get('from-py')
    raise AssertionError('still there')
except docker.errors.NotFound:
    pass
try:
    client.containers.run('${BUSYBOX}', ['sh', '-c', 'exit 3'], remove=True)
    raise AssertionError('no error')
except docker.errors.ContainerError as e:
    assert e.exit_status == 3
print('ok')
`;
  const result = await run(['/usr/bin/python3', '-c', script], {
    env: clientEnvironment(daemon().host),
    timeoutMs: 60_000,
  });
  assert.equal(result.stdout.trim(), 'ok', result.output);
});

test('docker-compose 1.29 brings a simple file up and down', async () => {
  const folder = join(scratch, 'project');
  process.getBuiltinModule('node:fs').mkdirSync(folder);
  writeFileSync(
    join(folder, 'docker-compose.yml'),
    `version: "3"
services:
  one:
    image: ${BUSYBOX}
    command: sh -c "echo one is up; sleep 1000"
    network_mode: bridge
    environment: { A: b }
    volumes: ["shared:/data"]
  two:
    image: ${BUSYBOX}
    command: sh -c "echo two is up; sleep 1000"
    network_mode: bridge
    volumes: ["shared:/data"]
    depends_on: [one]
volumes: { shared: {} }
`,
  );
  const compose = async (...args: readonly string[]) => {
    const result = await run(['docker-compose', ...args], {
      cwd: folder,
      env: clientEnvironment(daemon().host),
      timeoutMs: 90_000,
    });
    assert.equal(result.code, 0, `docker-compose ${args.join(' ')}: ${result.output}`);
    return result.output;
  };
  await compose('up', '-d');
  assert.match(await compose('ps'), /project_one_1.*Up/s);
  await eventually(
    'both have spoken',
    async () => /one is up/.test(await compose('logs')) && /two is up/.test(await compose('logs')),
  );
  assert.match(await compose('exec', '-T', 'one', 'sh', '-c', 'echo $A; touch /data/x'), /b/);
  assert.match(await compose('exec', '-T', 'two', 'ls', '/data'), /x/);
  await compose('restart', '-t', '0');
  await compose('down', '-v', '-t', '0');
  assert.equal(await daemon().ok('ps', '-aq', '--filter', 'label=com.docker.compose.project=project'), '');
});

test('curl speaks to the API without any Docker library', async () => {
  const ask = async (...args: readonly string[]) =>
    (await run(['curl', '-sS', '--unix-socket', daemon().socketPath, ...args])).stdout;
  assert.equal(await ask('http://d/_ping'), 'OK');
  assert.match(await ask('http://d/v1.24/version'), /"ApiVersion"/);
  assert.equal(JSON.parse(await ask('http://d/v1.40/containers/none/json')).message, 'No such container: none');
  assert.match(await ask('http://d/v9.9/info'), /client version 9\.9 is too new/);
  assert.match(
    await ask('-X', 'POST', '-H', 'Content-Type: application/json', '-d', '{bad', 'http://d/containers/create'),
    /message/,
  );
});
