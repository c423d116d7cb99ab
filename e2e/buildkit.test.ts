import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { buildxPlugin, composePlugin } from './lib/plugins.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-buildkit-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A client's configuration in which buildx is a plugin. */
const config = join(scratch, 'config');
let buildx = '';
before(async () => {
  buildx = await buildxPlugin();
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  symlinkSync(buildx, join(config, 'cli-plugins', 'docker-buildx'));
  writeFileSync(join(config, 'config.json'), '{}');
});

function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'context-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const environment = () => ({ ...clientEnvironment(daemon().host), DOCKER_CONFIG: config });

function build(folder: string, ...options: readonly string[]) {
  return run([buildx, 'build', '--progress', 'plain', ...options, folder], { env: environment(), timeoutMs: 120_000 });
}

const show = (image: string, ...command: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', image, ...command);

test('buildx builds, shows its steps, and finds them in the cache', async () => {
  const image = uniqueName('bk');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX} AS one\nRUN echo working && echo made >/made\nFROM ${BUSYBOX}\nARG A\nENV A=$A\nCOPY --from=one /made /\nCOPY . /all\nCMD ["cat", "/made"]\n`,
    '.dockerignore': 'left-out\n',
    'left-out': '',
    'kept/deep/file': 'x',
    'kept/empty': '',
  });
  const first = await build(folder, '-t', image, '--build-arg', 'A=b', '--label', 'l=m');
  assert.equal(first.code, 0, first.output);
  assert.match(first.output, /\[one 2\/2\] RUN echo working[\s\S]*working[\s\S]*exporting to image/);
  assert.equal(await show(image), 'made');
  assert.equal(
    (await show(image, 'find', '/all', '-type', 'f')).split('\n').sort().join('\n'),
    ['.dockerignore', 'Dockerfile', 'kept/deep/file', 'kept/empty'].map((name) => `/all/${name}`).join('\n'),
  );
  assert.equal(
    await daemon().ok('inspect', '-f', '{{index .Config.Labels "l"}} {{index .Config.Env 1}}', image),
    'm A=b',
  );
  const second = await build(folder, '-t', image, '--build-arg', 'A=b', '--label', 'l=m');
  assert.match(second.output, /RUN echo working[^\n]*\n#\d+ CACHED/);
});

test('buildx shows the lines of a failing step', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN true\nRUN echo oops >&2; exit 42\n` });
  const failed = await build(folder);
  assert.notEqual(failed.code, 0);
  assert.match(failed.output, /oops/);
  assert.match(failed.output, /3 \| >>> RUN echo oops/);
  assert.match(failed.output, /did not complete successfully: exit code: 42/);
  const wrong = await build(context({ Dockerfile: `FROM ${BUSYBOX}\nRUNN x\n` }));
  assert.match(wrong.output, /2 \| >>> RUNN x[\s\S]*unknown instruction: RUNN \(did you mean RUN\?\)/);
});

test('buildx lends secrets and an ssh agent to a build', async () => {
  const secret = join(scratch, 'secret');
  writeFileSync(secret, 'sesame');
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}
RUN --mount=type=secret,id=s test "$(cat /run/secrets/s)" = sesame
RUN --mount=type=secret,id=s,env=WORD test "$WORD" = sesame
RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK"
RUN ! grep -r sesame /run /tmp
`,
  });
  const agent = await run(['ssh-agent', '-s']);
  const socket = /SSH_AUTH_SOCK=([^;]+)/.exec(agent.output)?.[1] ?? '';
  const pid = /SSH_AGENT_PID=(\d+)/.exec(agent.output)?.[1] ?? '';
  try {
    const result = await build(folder, '--secret', `id=s,src=${secret}`, '--ssh', `default=${socket}`);
    assert.equal(result.code, 0, result.output);
  } finally {
    await run(['kill', pid]);
  }
});

test('buildx writes the id of the image, and lists and prunes the cache', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${uniqueName()} >/x\n` });
  const file = join(scratch, 'id');
  const image = uniqueName('bk');
  assert.equal((await build(folder, '-t', image, '--iidfile', file)).code, 0);
  assert.equal(readFileSync(file, 'utf8').startsWith('sha256:'), true);
  const usage = await run([buildx, 'du'], { env: environment() });
  assert.match(usage.output, /Total:/);
  assert.equal((await run([buildx, 'prune', '-af'], { env: environment() })).code, 0);
});

test('a build writes its files into a directory and an archive of the client', async () => {
  const folder = context({
    'run.sh': '#!/bin/sh\n',
    'big/zeros': '\0'.repeat(700_000),
    'a.b': '',
    'a/c': 'ü',
    Dockerfile: `FROM ${BUSYBOX} AS made
RUN mkdir -p /out/deep && cd /out && echo one >first && ln first second && ln -s deep/../first third && chmod 4750 first && mkfifo pipe
COPY --chmod=755 run.sh /out/deep/
COPY big /out/big
COPY a.b /out/
COPY a /out/a
FROM scratch
COPY --from=made /out /
`,
  });
  const check = (at: string) => {
    assert.equal(readFileSync(join(at, 'third'), 'utf8'), 'one\n');
    assert.equal(readlinkSync(join(at, 'third')), 'deep/../first');
    assert.equal(statSync(join(at, 'first')).ino, statSync(join(at, 'second')).ino);
    assert.equal(statSync(join(at, 'first')).mode & 0o7777, 0o4750);
    assert.equal(statSync(join(at, 'deep/run.sh')).mode & 0o777, 0o755);
    assert.equal(readFileSync(join(at, 'big/zeros')).equals(Buffer.alloc(700_000)), true);
    assert.equal(readFileSync(join(at, 'a/c'), 'utf8'), 'ü');
    assert.equal(lstatSync(join(at, 'pipe')).isFIFO(), true);
  };
  const images = await daemon().ok('images', '-aq');
  const directory = join(scratch, 'out');
  const local = await build(folder, '--output', directory);
  assert.equal(local.code, 0, local.output);
  check(directory);
  // Once more, over what is there.
  assert.equal((await build(folder, '--output', `type=local,dest=${directory}`)).code, 0);
  check(directory);
  const archive = join(scratch, 'out.tar');
  const tar = await build(folder, '--output', `type=tar,dest=${archive}`);
  assert.equal(tar.code, 0, tar.output);
  const unpacked = join(scratch, 'unpacked');
  mkdirSync(unpacked);
  assert.equal((await run(['tar', '-xpf', archive, '-C', unpacked])).code, 0);
  check(unpacked);
  assert.equal(await daemon().ok('images', '-aq'), images);
});

test('a directory of the client that cannot be written is told of', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\n` });
  const file = join(scratch, 'a-file');
  writeFileSync(file, '');
  const failed = await build(folder, '--output', `type=local,dest=${join(file, 'below')}`);
  assert.notEqual(failed.code, 0);
  assert.match(failed.output, /not a directory/);
  assert.equal((await build(folder, '--output', join(scratch, 'afterwards'))).code, 0);
});

test('docker compose 2.40 builds a service through buildx', async () => {
  const folder = context({
    'compose.yml': 'services: { app: { build: { context: ., args: { WORD: fine } }, network_mode: none } }\n',
    Dockerfile: `FROM ${BUSYBOX}\nARG WORD\nENV WORD=$WORD\nCMD echo built $WORD\n`,
  });
  const plugin = await composePlugin();
  const compose = (...args: readonly string[]) =>
    run([plugin, ...args], { cwd: folder, env: environment(), timeoutMs: 60_000 });
  const up = await compose('up', '--build');
  assert.match(up.output, /built fine/);
  await compose('down', '--rmi', 'all');
});
