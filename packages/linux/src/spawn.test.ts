import assert from 'node:assert/strict';
import { closeSync, createReadStream, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { watchExit } from './pidfd.ts';
import { pidExists, processStartTime } from './proc.ts';
import { pipe, runTool, spawnProcess } from './spawn.ts';
import { temporaryDirectory } from './test-support.ts';

const sh = (script: string): { path: string; argv: string[] } => ({ path: '/bin/sh', argv: ['sh', '-c', script] });

test('spawnProcess() reports the exit code and the signal', async () => {
  assert.deepEqual(await spawnProcess(sh('exit 7')).exited, { code: 7, signal: null });
  const child = spawnProcess(sh('sleep 60'));
  assert.ok(processStartTime(child.pid) !== undefined);
  assert.equal(child.kill(9), true);
  assert.deepEqual(await child.exited, { code: null, signal: 'SIGKILL' });
  assert.equal(child.kill(9), false);
  assert.equal(pidExists(child.pid), false);
});

test('spawnProcess() throws when the program is not there', () => {
  assert.throws(() => spawnProcess({ path: '/nonexistent', argv: ['x'] }), { code: 'ENOENT', syscall: 'spawn' });
});

test('spawnProcess() hands over exactly the descriptors that were asked for, even crosswise', async () => {
  using directory = temporaryDirectory();
  const file = (name: string): number => openSync(join(directory.path, name), 'w');
  const [a, b, other] = [file('a'), file('b'), file('other')];
  // The child's numbers are each other's numbers here.
  const child = spawnProcess({
    ...sh(`(echo to-a) >/proc/self/fd/${b}; ls -1 /proc/self/fd | tr '\\n' ' ' > /proc/self/fd/${a}`),
    fds: { [b]: a, [a]: b },
  });
  assert.equal((await child.exited).code, 0);
  for (const fd of [a, b, other]) closeSync(fd);
  assert.equal(readFileSync(join(directory.path, 'a'), 'utf8'), 'to-a\n');
  const numbers = readFileSync(join(directory.path, 'b'), 'utf8').trim().split(' ').map(Number);
  for (const fd of [0, 1, 2, a, b]) assert.ok(numbers.includes(fd));
  assert.ok(!numbers.includes(other));
});

test('spawnProcess() gives the environment, the directory and a session of its own', async () => {
  const { readFd, writeFd } = pipe();
  const child = spawnProcess({
    ...sh('echo "$ONLY ${HOME-unset} $PWD"; cut -d" " -f6 /proc/$$/stat; echo $$'),
    env: { ONLY: 'this', PATH: process.env['PATH'] },
    cwd: '/usr',
    setsid: true,
    fds: [-1, writeFd],
  });
  closeSync(writeFd);
  await child.exited;
  const [first, session, pid] = readFileSync(readFd, 'utf8').split('\n');
  closeSync(readFd);
  assert.equal(first, 'this unset /usr');
  assert.equal(session, pid);
});

test('runTool() passes input and collects both streams', async () => {
  const result = await runTool({ ...sh('cat; echo error >&2; exit 3'), input: 'x'.repeat(200_000) });
  assert.equal(result.code, 3);
  assert.equal(result.stdout.length, 200_000);
  assert.equal(result.stderr.toString(), 'error\n');
});

test('runTool() does not mind a tool that reads nothing', async () => {
  assert.equal((await runTool({ ...sh('exit 0'), input: 'x'.repeat(200_000) })).code, 0);
});

test('runTool() kills what a tool has started when asked to', async () => {
  using folder = temporaryDirectory();
  const fifo = join(folder.path, 'fifo');
  assert.equal((await runTool(sh(`mkfifo ${fifo}`))).code, 0);
  const abort = new AbortController();
  const script = `(echo started; exec sleep 60) >${fifo} & wait`;
  const running = runTool({ ...sh(script), withDescendants: true, signal: abort.signal });
  running.catch(() => undefined);
  // What the grandchild holds open ends with it.
  for await (const chunk of createReadStream(fifo)) {
    assert.equal(String(chunk), 'started\n');
    abort.abort(new Error('given up'));
  }
  await assert.rejects(running, { message: 'given up' });
});

test('runTool() kills a tool at its deadline, also when a grandchild holds the pipe', async () => {
  await assert.rejects(runTool({ ...sh('sleep 5 & sleep 60'), timeoutMs: 50 }), { kind: 'deadline-exceeded' });
});

test('runTool() ends with the reason of its signal', async () => {
  const abort = new AbortController();
  const running = runTool({ ...sh('sleep 60'), signal: abort.signal });
  abort.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
});

test('watchExit() sees the end of a process that is not a child', async () => {
  const { stdout } = await runTool(sh('sleep 0.2 >/dev/null 2>&1 & echo $!'));
  const watch = watchExit(Number(stdout.toString()));
  await watch.promise;
  watch.close();
});

test('watchExit() resolves at once for a process that is gone', async () => {
  const child = spawnProcess(sh('exit 0'));
  await child.exited;
  await watchExit(child.pid).promise;
});
