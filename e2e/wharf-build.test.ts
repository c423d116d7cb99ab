import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { type RunOptions, run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { startDockerRegistry } from './lib/registries.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-build-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const WHARF = join(ROOT, 'bin/wharf');
const config = join(scratch, 'config');
mkdirSync(config);

function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, DOCKER_CONFIG: config, WHARF_HOST: daemon().host, ...more };
}

function wharf(line: readonly string[], options: RunOptions = {}) {
  return run([WHARF, ...line], { env: environment(), timeoutMs: 60_000, ...options });
}

function build(folder: string, ...line: readonly string[]) {
  return wharf(['build', '--progress', 'plain', ...line, folder]);
}

function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'context-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const show = (image: string, ...command: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', image, ...command);

test('wharf build makes an image without any other client: stages, arguments, labels, .dockerignore, odd files', async () => {
  const image = uniqueName('wb');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS one\nRUN echo working && echo made >/made\nFROM ${BUSYBOX}\nARG A\nARG B\nENV A=$A B=$B\nCOPY --from=one /made /\nCOPY . /all\n`,
    '.dockerignore': '# a remark\nout\n**/*.log\n!keep.log\nDockerfile\n',
    'out/file': '',
    'deep/er/x.log': '',
    'keep.log': '',
    'a.b': '',
    'a/é': 'x',
    'a/[odd] *': '',
    'empty/.keep': '',
  });
  symlinkSync('../a/é', join(folder, 'a', 'link'));
  chmodSync(join(folder, 'a.b'), 0o750);
  const result = await run(
    [
      WHARF,
      'build',
      '--progress=plain',
      '-t',
      image,
      '--build-arg',
      'A=b',
      '--build-arg',
      'B',
      '--label',
      'l=m',
      folder,
    ],
    {
      env: environment({ B: 'from the environment' }),
      timeoutMs: 60_000,
    },
  );
  assert.equal(result.code, 0, result.output);
  assert.match(
    result.output,
    /#\d+ \[one 2\/2\] RUN echo working[^\n]*\n#\d+ \d+\.\d{3} working\n#\d+ DONE \d+\.\ds\n/,
  );
  const paths = (await show(image, 'sh', '-c', 'cd /all && find . | sort')).split('\n');
  assert.deepEqual(paths, [
    '.',
    './.dockerignore',
    './a',
    './a.b',
    './a/[odd] *',
    './a/link',
    './a/é',
    './deep',
    './deep/er',
    './empty',
    './empty/.keep',
    './keep.log',
  ]);
  assert.equal(await show(image, 'stat', '-c', '%a %u', '/all/a.b'), '750 0');
  assert.equal(await show(image, 'cat', '/all/a/link'), 'x');
  assert.equal(
    await daemon().ok('inspect', '-f', '{{index .Config.Labels "l"}} {{json .Config.Env}}', image),
    'm ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=b","B=from the environment"]',
  );
  const again = await build(folder, '-t', image, '--build-arg', 'A=b', '--label', 'l=m');
  assert.match(again.output, /RUN echo working[^\n]*\n#\d+ CACHED/);
});

test('wharf build prints the id alone with -q, and writes --iidfile and --metadata-file; --json prints the latter', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nLABEL x=${uniqueName()}\n` });
  const [ids, file] = [join(scratch, 'id'), join(scratch, 'metadata.json')];
  const quiet = await wharf(['build', '-q', '--iidfile', ids, '--metadata-file', file, folder]);
  assert.match(quiet.output, /^sha256:[0-9a-f]{64}\n$/);
  const id = quiet.stdout.trim();
  assert.equal(readFileSync(ids, 'utf8'), id);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', id), id);
  const metadata = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  const json = await wharf(['build', '--json', '--progress', 'quiet', folder]);
  const printed = JSON.parse(json.stdout) as Record<string, unknown>;
  assert.equal(printed['containerimage.digest'], metadata['containerimage.digest']);
  assert.deepEqual(printed['containerimage.descriptor'], metadata['containerimage.descriptor']);
});

test('wharf build shows where a step failed, the last it wrote, and what to do; the status is 1', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN true\nRUN echo oops >&2; exit 42\n` });
  const failed = await build(folder);
  assert.equal(failed.code, 1);
  assert.match(failed.output, /------\n > \[3\/3\] RUN echo oops[\s\S]*oops\n------\n/);
  assert.match(
    failed.output,
    /Dockerfile:3\n-+\n[\s\S]* 3 \| >>> RUN echo oops >&2; exit 42\n-+\nERROR: failed to solve: /,
  );
  assert.match(failed.output, /exit code: 42\nTo look at it where it failed: build again with --on-error shell\./);
  const wrong = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nRUNN x\n` }));
  assert.match(wrong.output, /2 \| >>> RUNN x[\s\S]*unknown instruction: RUNN \(did you mean RUN\?\)/);
  const missing = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nCOPY nothing /\n` }));
  assert.match(missing.output, /not found/);
});

test('wharf build refuses what makes no sense, and says what was meant', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\n` });
  const said = async (...line: readonly string[]) => {
    const { code, output } = await wharf(['build', ...line]);
    return `${code} ${output}`;
  };
  assert.match(await said('--tga', 'x', folder), /^125 unknown flag: --tga\nDid you mean --tag\?/);
  assert.match(await said(), /^1 ERROR: 'wharf build' requires 1 argument/);
  assert.match(await said(join(folder, 'none')), /^1 unable to prepare context: path ".*none" not found/);
  assert.match(await said('-f', join(folder, 'Dockerfil'), folder), /did you mean Dockerfile\?/);
  assert.match(await said('-t', 'UPPER', folder), /^1 ERROR: invalid tag "UPPER"/);
  assert.match(await said('--progress', 'loud', folder), /^1 ERROR: invalid progress mode: loud/);
  assert.match(await said('-o', 'type=nothing', folder), /exporter "nothing" could not be found/);
  assert.match(await said('--secret', 'id=s,src=/nowhere', folder), /there is no file "\/nowhere"/);
  assert.match(await said('--help'), /^0 Usage:[\s\S]*Examples:[\s\S]*--on-error shell/);
  const nobody = await run([WHARF, '-H', 'unix:///nowhere.sock', 'build', folder], { env: environment() });
  assert.match(nobody.output, /Cannot connect to the daemon at unix:\/\/\/nowhere\.sock: is it running\?/);
});

test('wharf build takes contexts and Dockerfiles from standard input, archives and addresses, and further contexts by name', async () => {
  const image = uniqueName('wb');
  const text = `FROM ${BUSYBOX}\nRUN echo stdin >/x\n`;
  const dockerfile = await wharf(['build', '-q', '-t', image, '-'], { input: text });
  assert.equal(dockerfile.code, 0, dockerfile.output);
  assert.equal(await show(image, 'cat', '/x'), 'stdin');
  const folder = context({ file: 'of the context', 'other/from': 'elsewhere' });
  const both = await wharf(
    ['build', '-q', '-t', image, '-f', '-', '--build-context', `more=${join(folder, 'other')}`, folder],
    {
      input: `FROM ${BUSYBOX}\nCOPY file /f\nCOPY --from=more from /g\n`,
    },
  );
  assert.equal(both.code, 0, both.output);
  assert.equal(await show(image, 'cat', '/f', '/g'), 'of the contextelsewhere');
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${BUSYBOX}\nCOPY file /archived\n`);
  const archive = join(scratch, 'context.tar.gz');
  assert.equal((await run(['tar', '-czf', archive, '-C', folder, '.'])).code, 0);
  const packed = await run(['sh', '-c', `exec ${WHARF} build -q -t ${image} - <${archive}`], { env: environment() });
  assert.equal(packed.code, 0, packed.output);
  assert.equal(await show(image, 'cat', '/archived'), 'of the context');
  const server = createServer((_, response) => response.end(`FROM ${BUSYBOX}\nCOPY file /fetched\n`)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  try {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/Dockerfile`;
    assert.equal((await wharf(['build', '-q', '-t', image, '-f', address, folder])).code, 0);
    assert.equal(await show(image, 'cat', '/fetched'), 'of the context');
  } finally {
    server.close();
  }
});

test('wharf build lends secrets, an agent and keys', async () => {
  const secret = join(scratch, 'secret');
  const key = join(scratch, 'key');
  writeFileSync(secret, 'sesame');
  assert.equal((await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'lent', '-f', key])).code, 0);
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}
RUN --mount=type=secret,id=s,required=true test "$(cat /run/secrets/s)" = sesame
RUN --mount=type=secret,id=e,env=WORD test "$WORD" = open
RUN --mount=type=ssh,required=true test -S "$SSH_AUTH_SOCK"
RUN ! grep -r sesame /run /tmp
`,
  });
  const line = [
    'build',
    '--progress=plain',
    '--no-cache',
    '--secret',
    `id=s,src=${secret}`,
    '--secret',
    'id=e,env=THE_WORD',
    '--ssh',
    `default=${key}`,
  ];
  const result = await run([WHARF, ...line, folder], { env: environment({ THE_WORD: 'open' }), timeoutMs: 60_000 });
  assert.equal(result.code, 0, result.output);
  const without = await build(folder, '--no-cache', '--secret', 'id=e,env=PATH');
  assert.match(without.output, /secret s: not found/);
});

test('wharf build writes results as a directory, an archive, an OCI archive and a layout, several at once', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS made\nRUN mkdir -p /out/d && cd /out && echo one >first && ln first second && ln -s ../first d/link && chmod 750 first\nFROM scratch\nCOPY --from=made /out /\n`,
  });
  const at = mkdtempSync(join(scratch, 'out-'));
  mkdirSync(join(at, 'files'));
  writeFileSync(join(at, 'files', 'kept'), '');
  const outputs = [
    join(at, 'files'),
    `type=tar,dest=${join(at, 'all.tar')}`,
    `type=oci,dest=${join(at, 'oci.tar')}`,
    `type=oci,tar=false,dest=${join(at, 'layout')}`,
  ];
  const result = await build(folder, ...outputs.flatMap((each) => ['-o', each]));
  assert.equal(result.code, 0, result.output);
  assert.deepEqual(readdirSync(join(at, 'files')).sort(), ['d', 'first', 'kept', 'second']);
  assert.equal(readFileSync(join(at, 'files/d/link'), 'utf8'), 'one\n');
  assert.equal(readlinkSync(join(at, 'files/d/link')), '../first');
  const [first, second] = ['first', 'second'].map((name) => statSync(join(at, 'files', name)));
  assert.equal(first?.ino, second?.ino);
  assert.equal((first?.mode ?? 0) & 0o777, 0o750);
  const listed = await run(['tar', '-tf', join(at, 'all.tar')]);
  assert.deepEqual(listed.output.trim().split('\n').sort(), ['d/', 'd/link', 'first', 'second']);
  assert.match((await run(['tar', '-tf', join(at, 'oci.tar')])).output, /^oci-layout$/m);
  const index = JSON.parse(readFileSync(join(at, 'layout/index.json'), 'utf8')) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  assert.ok(existsSync(join(at, 'layout/blobs/sha256', index.manifests[0]?.digest.slice(7) ?? '')));
  const replaced = await build(folder, '-o', `type=local,dest=${join(at, 'files')},mode=delete`);
  assert.equal(replaced.code, 0, replaced.output);
  assert.deepEqual(readdirSync(join(at, 'files')).sort(), ['d', 'first', 'second']);
  const piped = await run(['sh', '-c', `${WHARF} build --progress=quiet -o - ${folder} | tar -t`], {
    env: environment(),
  });
  assert.match(piped.output, /^first$/m);
});

test('wharf build --check, --call outline and targets answer without building', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX} AS First\nARG X=1\nFROM ${BUSYBOX} AS second\nRUN exit 1\n` });
  const checked = await wharf(['build', '--check', '--progress', 'quiet', folder]);
  assert.equal(checked.code, 1);
  assert.match(checked.output, /Check complete, \d+ warnings? ha(s|ve) been found!/);
  const clean = await wharf([
    'build',
    '--check',
    '--progress=quiet',
    context({ Dockerfile: `FROM ${BUSYBOX}\nRUN exit 1\n` }),
  ]);
  assert.equal(`${clean.code} ${clean.output}`, '0 Check complete, no warnings found.\n');
  const warned = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nENV A b\n` }));
  assert.match(warned.output, /1 warning found .*\n - LegacyKeyValueFormat: .*\(line 2\)\n$/);
  const targets = await wharf(['build', '--call', 'targets', '--progress=quiet', folder]);
  assert.match(targets.output, /second/);
  const outline = await wharf(['build', '--call=outline,format=json', '--target=first', '--progress=quiet', folder]);
  assert.match(outline.output, /"name":\s*"X"/);
});

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
