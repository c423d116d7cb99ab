import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment, dockerCli } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const NAME = 'target';
const daemon = daemonForFile({
  prepare: (started) => started.ok('run', '-d', '--name', NAME, '-e', 'FROM=container', BUSYBOX, 'sleep', '100000'),
});

test('docker exec gives output, errors and exit status', async () => {
  const result = await daemon().docker(['exec', NAME, 'sh', '-c', 'echo out; echo err >&2; exit 9']);
  assert.deepEqual(
    { code: result.code, out: result.stdout, err: result.stderr },
    { code: 9, out: 'out\n', err: 'err\n' },
  );
});

test('docker exec -i passes stdin through', async () => {
  const input = 'x'.repeat(3_000_000);
  const result = await daemon().docker(['exec', '-i', NAME, 'cat'], { input });
  assert.equal(result.stdout.length, input.length);
});

test('docker exec applies environment, directory and user', async () => {
  const out = await daemon().ok(
    'exec',
    '-e',
    'A=b',
    '-w',
    '/tmp',
    '-u',
    'nobody',
    NAME,
    'sh',
    '-c',
    'echo $FROM $A; pwd; id -un',
  );
  assert.equal(out, 'container b\n/tmp\nnobody');
});

test('docker exec -it gives a terminal', async () => {
  // crun sets the size right after it has let the process go; stty fails until then.
  const line = `stty rows 20 cols 60; ${await dockerCli()} exec -it ${NAME} sh -c 'test -t 0 && until stty size; do :; done'`;
  const result = await run(['script', '-qec', line, '/dev/null'], {
    env: clientEnvironment(daemon().host),
    timeoutMs: 30_000,
  });
  assert.match(result.stdout, /20 60/, result.output);
});

test('docker exec of a program that is not there ends with 127', async () => {
  const result = await daemon().docker(['exec', NAME, 'no-such-program']);
  assert.equal(result.code, 127, result.output);
});

test('docker exec -d leaves the process running', async () => {
  await daemon().ok('exec', '-d', NAME, 'sh', '-c', 'echo done > /tmp/detached');
  await eventually(
    'the file is written',
    async () => (await daemon().docker(['exec', NAME, 'cat', '/tmp/detached'])).stdout === 'done\n',
  );
});

test('docker exec refuses a container that does not run', async () => {
  await daemon().ok('create', '--name', 'stopped', BUSYBOX, 'true');
  const result = await daemon().docker(['exec', 'stopped', 'true']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /container [0-9a-f]{64} is not running/);
});

test('docker exec many times at once gives each its own output', async () => {
  const results = await Promise.all(
    Array.from(
      { length: 20 },
      async (_, index) => (await daemon().docker(['exec', NAME, 'echo', `number ${index}`])).stdout,
    ),
  );
  assert.deepEqual(
    results,
    results.map((_, index) => `number ${index}\n`),
  );
});

test('an exec with a terminal answers in frames where the start request asks for none', async () => {
  const api = async (path: string, body: object) => {
    const args = ['-X', 'POST', '-H', 'Content-Type: application/json', '-d', JSON.stringify(body)];
    return (await run(['curl', '-sS', '--unix-socket', daemon().socketPath, ...args, `http://d${path}`])).stdout;
  };
  const create = { Cmd: ['printf', 'hello'], AttachStdout: true, Tty: true };
  const first = JSON.parse(await api(`/containers/${NAME}/exec`, create)) as { readonly Id: string };
  assert.equal(await api(`/exec/${first.Id}/start`, { Tty: false }), '\u0001\0\0\0\0\0\0\u0005hello');
  const second = JSON.parse(await api(`/containers/${NAME}/exec`, create)) as { readonly Id: string };
  assert.equal(await api(`/exec/${second.Id}/start`, { Tty: true }), 'hello');
});

test('docker exec refuses a user the container does not know before anything is started', async () => {
  const result = await daemon().docker(['exec', '--user', 'nobody-of-that-name', NAME, 'true']);
  assert.equal(result.code, 1);
  assert.match(result.stderr, /unable to find user nobody-of-that-name: no matching entries in passwd file/);
});
