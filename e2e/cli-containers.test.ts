import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  comparable,
  dockerLines,
  LINE_ENVIRONMENT,
  lineDirectory,
  wholeBody,
} from '../packages/wharf/src/containers/create/docker-lines.ts';
import { run } from '../scripts/lib/run.ts';
import { bothClients } from './lib/both-clients.ts';
import { BUSYBOX } from './lib/images.ts';
import { RecordingSocket } from './lib/recording-socket.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';
import { Terminal } from './lib/terminal.ts';

const daemon = daemonForFile();
const clients = bothClients(() => daemon().host);
const directory = lineDirectory();
after(() => rmSync(directory, { recursive: true, force: true }));

/** Every so-manieth of the recorded lines: all of them are compared in the unit tests, here both programs stand for them. */
const EVERY = 10;
const AT_ONCE = 4;

let sockets = 0;

async function sent(program: string, line: readonly string[]) {
  sockets += 1;
  await using socket = await RecordingSocket.listen(join(clients.folder, `${sockets}.sock`));
  rmSync(join(directory, 'CIDFILE'), { force: true });
  const env = {
    ...clients.environment(),
    ...LINE_ENVIRONMENT,
    DOCKER_HOST: socket.host,
    TZ: undefined,
    PLACE: undefined,
  };
  const result = await run([program, 'create', ...line], { cwd: directory, env, timeoutMs: 20_000 });
  const request = socket.requests.find(({ url }) => url.includes('/containers/create'));
  return { result, request };
}

async function forEach<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const work = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

test('create sends what docker sends, which is what is on record', async () => {
  const lines = dockerLines(directory);
  const theirs = await clients.theirs();
  // Debian's docker reads ports by an older library, in other words.
  const programsFor = (line: readonly string[]) =>
    line.includes('-p') || line.includes('--expose') ? [clients.ours] : [clients.ours, theirs];
  await forEach(
    lines.accepted.filter((_, index) => index % EVERY === 0),
    async (accepted) => {
      for (const program of programsFor(accepted.line)) {
        const { result, request } = await sent(program, accepted.line);
        const shown = `${program} ${accepted.line.join(' ')}: ${result.output}`;
        assert.equal(result.code, 0, shown);
        assert.deepEqual(comparable(JSON.parse(request?.body ?? '{}')), comparable(wholeBody(lines, accepted)), shown);
        assert.equal(new URL(request?.url ?? '', 'http://x').search.slice(1), accepted.query ?? '', shown);
      }
    },
  );
  await forEach(
    lines.refused.filter((_, index) => index % EVERY === 0),
    async ({ line, status, stderr }) => {
      for (const program of programsFor(line)) {
        const { result } = await sent(program, line);
        assert.deepEqual(
          [result.code, result.stderr.split('\n\n')[0]?.trimEnd()],
          [status, stderr],
          `${program} ${line.join(' ')}`,
        );
      }
    },
  );
});

const onTerminal = (...line: readonly string[]) =>
  new Terminal([clients.ours, ...line], { env: clients.environment() });

test('a terminal is led to the container: its size, what is typed, the status', async () => {
  await using terminal = onTerminal('run', '--rm', '-it', BUSYBOX, 'sh');
  await terminal.sees('# ');
  terminal.type('stty size; test -t 0 && echo has a terminal\n');
  await terminal.sees('24 80\r\nhas a terminal\r\n');
  terminal.resize({ rows: 33, columns: 99 });
  terminal.type('until [ "$(stty size)" = "33 99" ]; do :; done; echo it grew\n');
  await terminal.sees('it grew\r\n');
  terminal.type(`sh -c 'trap "echo caught; exit" INT; echo arm""ed; while :; do sleep 0.1; done'\n`);
  await terminal.sees('armed');
  terminal.type('\u0003');
  await terminal.sees('caught\r\n');
  terminal.type('exit 7\n');
  assert.equal(await terminal.exit(), 7);
});

test('keys detach from a container, which runs on, and the terminal is as before', async () => {
  const name = uniqueName();
  const script = `'${clients.ours}' run -it --name ${name} --detach-keys ctrl-a,x ${BUSYBOX} sh; echo status $?; stty -a`;
  await using terminal = new Terminal(['sh', '-c', script], { env: clients.environment() });
  await terminal.sees('# ');
  terminal.type('\u0001x');
  await terminal.sees('status 0');
  await terminal.sees(/ icanon [\s\S]* echo /);
  assert.equal(await terminal.exit(), 0);
  await using again = onTerminal('attach', name);
  again.type('echo $((6*7))\n');
  await again.sees('42\r\n');
  again.type('\u0010\u0011');
  assert.equal(await again.exit(), 1);
  assert.match(again.text, /read escape sequence\r\n$/);
  await daemon().ok('rm', '-f', name);
});

test('signals go to the container, and its status comes back', async () => {
  const trap = 'trap "echo bye; exit 3" INT; echo ready; while :; do sleep 0.1; done';
  await using terminal = onTerminal('run', '--rm', BUSYBOX, 'sh', '-c', trap);
  await terminal.sees('ready');
  terminal.type('\u0003');
  await terminal.sees('bye');
  assert.equal(await terminal.exit(), 3);
});

test('logs of several containers come behind their names, in the order of their times', async () => {
  const [one, two] = [uniqueName('one'), uniqueName('two')];
  const { ours } = clients;
  const env = clients.environment();
  await daemon().ok('run', '-d', '-i', '--name', one, BUSYBOX, 'cat');
  await daemon().ok('run', '-d', '-i', '-t', '--name', two, BUSYBOX, 'sh', '-c', 'stty -echo; cat');
  await run([ours, 'exec', one, 'sh', '-c', 'echo a1 > /proc/1/fd/1'], { env });
  await run([ours, 'exec', two, 'sh', '-c', 'echo b1 > /proc/1/fd/1'], { env });
  await run([ours, 'exec', one, 'sh', '-c', 'echo a2 > /proc/1/fd/1'], { env });
  const { stdout } = await run([ours, 'logs', one, two], { env });
  assert.equal(stdout, `${one}  | a1\n${two}  | b1\n${one}  | a2\n`);
  await using terminal = onTerminal('logs', '-f', '--tail', '1', one, two);
  await terminal.sees('b1');
  await run([ours, 'exec', two, 'sh', '-c', 'echo b2 > /proc/1/fd/1'], { env });
  await terminal.sees(/\u001b\[33mtwo-\S+ {2}\| \u001b\[0mb2/);
  terminal.type('\u0003');
  assert.equal(await terminal.exit(), 130);
  await daemon().ok('rm', '-f', one, two);
});

test('a daemon that goes away is said, and the terminal is given back', async () => {
  const script = `'${clients.ours}' run -it ${BUSYBOX} sh; echo status $?; stty -a`;
  await using terminal = new Terminal(['sh', '-c', script], { env: clients.environment() });
  await terminal.sees('# ');
  await daemon().kill();
  await terminal.sees('The connection to the daemon was lost');
  await terminal.sees('status 125');
  await terminal.sees(/ icanon [\s\S]* echo /);
  await terminal.exit();
  await daemon().start();
  await eventually('the daemon is back', async () => (await daemon().docker(['ps', '-q'])).code === 0);
  await daemon().ok('rm', '-f', (await daemon().ok('ps', '-lq')).trim());
});
