import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { startDockerRegistry } from './lib/registries.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';
import { WHARF, wharfUser } from './lib/wharf-user.ts';

const daemon = daemonForFile();
const { scratch, environment, wharf, build, context } = wharfUser(() => daemon().host);

test('wharf build --network joins a network of the engine, with its names', async () => {
  const network = uniqueName('net');
  await daemon().ok('network', 'create', network);
  await daemon().ok(
    'run',
    '-d',
    '--rm',
    '--name',
    `${network}-web`,
    '--network',
    network,
    BUSYBOX,
    'sh',
    '-c',
    'mkdir /www && echo told >/www/i && exec httpd -f -p 80 -h /www',
  );
  try {
    const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN wget -qO- http://${network}-web/i\n` });
    const joined = await build(folder, '--network', network);
    assert.match(joined.output, /\d+\.\d{3} told/);
    const none = await build(folder, '--network', 'none', '--no-cache');
    assert.equal(none.code, 1);
    const unknown = await build(folder, '--network', `${network}-not`, '--no-cache');
    assert.match(unknown.output, new RegExp(`network ${network}-not not found`));
  } finally {
    await daemon().ok('kill', `${network}-web`);
    await eventually('the network is gone', async () => (await daemon().docker(['network', 'rm', network])).code === 0);
  }
});

test('wharf build --explain says why each step ran', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}\nARG MODE=a\nRUN echo $MODE ${uniqueName()}\nCOPY src /src\nRUN true\n`,
    'src/one': '1',
    'src/two': '2',
    'src/three': '3',
  });
  const reasons = async (...line: readonly string[]) => {
    const { output } = await build(folder, '--explain', ...line);
    return [...output.matchAll(/why: (.*)/g)].map(([, text]) => text);
  };
  assert.deepEqual(await reasons(), ['ran: never built here', 'ran: never built here', 'ran: never built here']);
  const cached = 'cached: same command on the same files';
  assert.deepEqual(await reasons(), [cached, 'cached: same files', cached]);
  writeFileSync(join(folder, 'src/two'), 'changed');
  rmSync(join(folder, 'src/three'));
  assert.deepEqual(await reasons(), [
    cached,
    'ran: 2 files changed (src/three, src/two)',
    'ran: earlier step changed (COPY src /src)',
  ]);
  const [first, second] = await reasons('--build-arg', 'MODE=b');
  assert.equal(first, 'ran: build arg MODE changed');
  assert.match(second ?? '', /^ran: earlier step changed \(RUN echo \$MODE/);
  assert.equal((await reasons('--no-cache'))[0], 'ran: the cache is switched off for it (--no-cache)');
  writeFileSync(
    join(folder, 'Dockerfile'),
    readFileSync(join(folder, 'Dockerfile'), 'utf8').replace('RUN true', 'RUN : else'),
  );
  assert.equal((await reasons())[2], 'ran: command changed');
});

for (const [how, signal, status] of [
  ['an interrupt', 'SIGINT', 130],
  ['a kill', 'SIGKILL', null],
] as const) {
  test(`${how} ends the build and its steps at once`, async () => {
    const seconds = 7000 + (process.pid % 1000);
    const folder = context({
      Dockerfile: `FROM ${BUSYBOX}\nRUN echo begun; sleep ${seconds}.${signal === 'SIGINT' ? 1 : 2}\n`,
    });
    const child = spawn(WHARF, ['build', '--progress=plain', folder], {
      env: environment(),
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const sleeping = async () => (await run(['pgrep', '-f', `^sleep ${seconds}`])).code === 0;
    await eventually('the step runs', sleeping);
    const ended = once(child, 'exit');
    child.kill(signal);
    assert.equal((await ended)[0], status);
    await eventually('the step is gone', async () => !(await sleeping()));
  });
}

test('a cache in a directory is written and read by another build', async () => {
  const cache = join(scratch, 'cache');
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${uniqueName()} >/x\n` });
  const written = await build(folder, '--cache-to', `type=local,dest=${cache}`);
  assert.equal(written.code, 0, written.output);
  await daemon().ok('builder', 'prune', '-af');
  const read = await build(folder, '--cache-from', `type=local,src=${cache}`);
  assert.match(read.output, /RUN echo [^\n]*\n#\d+ CACHED/);
});

const failing = () =>
  context({ Dockerfile: `FROM ${BUSYBOX}\nENV WORD=told\nWORKDIR /work\nRUN echo left >here; exit 3\n` });

test('--on-error shell runs what it is given where the step failed', async () => {
  const input = 'pwd; cat here; echo $WORD; ls /nothing\nexit 5\n';
  const result = await wharf(['build', '--progress=plain', '--on-error', 'shell', failing()], { input });
  assert.equal(result.code, 1);
  assert.equal(result.stdout, '/work\nleft\ntold\n');
  assert.match(result.stderr, /A shell in it[\s\S]*\/nothing: No such file[\s\S]*>>> RUN echo left/);
  const copy = context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY nothing /\n` });
  const none = await wharf(['build', '--progress=plain', '--on-error=shell', copy], { input });
  assert.match(none.stderr, /No shell: what failed is no RUN/);
});

test('on a terminal the build is drawn, and the shell of --on-error has the terminal', async () => {
  const line = `stty rows 20 columns 70; ${WHARF} build --on-error=shell -t drawn ${failing()}; echo status $?`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    env: environment({ TERM: 'xterm', SHELL: '/bin/sh', NO_COLOR: '1' }),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const shows = (what: RegExp) => eventually(`the terminal shows ${what}`, async () => what.test(output));
  try {
    await shows(/\/work # /);
    assert.match(output, /\[\+\] Building \d+\.\ds \(\d\/\d\) +drawn/);
    child.stdin.write('stty size; test -t 0 && echo a terminal; exit\r');
    await shows(/20 70\r+\na terminal\r+\n/);
    await shows(/FAILED[\s\S]* ✘ [\s\S]*RUN echo left[\s\S]*status 1/);
  } finally {
    child.kill();
  }
});

test('a cache mount is listed by name, written as an archive, and read by another name; prune takes it away', async () => {
  const id = uniqueName('cache');
  const made = context({
    Dockerfile: `FROM ${BUSYBOX}\nRUN --mount=type=cache,id=${id},target=/c,mode=1777 echo kept >/c/file && chown 7:8 /c/file\n`,
  });
  assert.equal((await build(made, '--no-cache')).code, 0);
  const archive = join(scratch, 'cache.tar');
  const shell = (line: string) => run(['sh', '-c', line], { env: environment() });
  const written = await shell(`exec ${WHARF} builder cache export ${id} >${archive}`);
  assert.equal(written.code, 0, written.output);
  assert.equal((await shell(`exec ${WHARF} builder cache import ${id}-2 <${archive}`)).code, 0);
  const listed = await wharf(['--json', 'builder', 'cache', 'ls']);
  const names = (JSON.parse(listed.stdout) as readonly { readonly ID: string }[]).map(({ ID }) => ID);
  assert.ok(names.includes(id) && names.includes(`${id}-2`), listed.output);
  const read = context({
    Dockerfile: `FROM ${BUSYBOX}\nRUN --mount=type=cache,id=${id}-2,target=/c stat -c '%a %u:%g %n' /c /c/file && cat /c/file\n`,
  });
  assert.match((await build(read, '--no-cache')).output, / 1777 0:0 \/c\n[\s\S]* 644 7:8 \/c\/file\n[\s\S]* kept\n/);
  const broken = await wharf(['builder', 'cache', 'import', id], { input: 'no archive' });
  assert.equal(broken.code, 1);
  assert.match((await shell(`${WHARF} builder cache export ${id} | tar -t`)).output, /^\.\/\nfile$/m);
  assert.match((await wharf(['builder', 'cache', 'export', 'none'])).output, /No such cache: none/);
  assert.match((await wharf(['builder', 'prune'], { input: 'n\n' })).output, /WARNING! This will remove/);
  const pruned = await wharf(['builder', 'prune', '-af', '--filter', 'type=exec.cachemount']);
  assert.match(pruned.output, /Deleted build cache objects:[\s\S]*Total reclaimed space: /);
  assert.equal((await wharf(['--json', 'builder', 'cache', 'ls'])).stdout, '[]\n');
  assert.match((await wharf(['builder', 'du'])).output, /RECLAIMABLE[\s\S]*Total:/);
});

test('wharf build --push leaves the image in a registry', async () => {
  await using registry = await startDockerRegistry();
  const image = `${registry.address}/made:1`;
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo pushed >/x\n` });
  const pushed = await build(folder, '-t', image, '--push');
  assert.equal(pushed.code, 0, pushed.output);
  const listed = await run(['skopeo', 'inspect', '--tls-verify=false', `docker://${image}`]);
  assert.match(listed.output, /"Name": ".*\/made"/);
  const refused = await build(folder, '-t', '127.0.0.1:1/made', '--push');
  assert.equal(refused.code, 1);
});
