import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { clientEnvironment } from './lib/docker.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-build-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A sleep of this process's own, to look for among all processes. */
const SLEEP = 1_000_000 + process.pid;

/** A build context of its own. */
function context(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(scratch, 'context-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

async function build(folder: string, ...options: readonly string[]) {
  return daemon().docker(['build', ...options, folder], { env: { DOCKER_BUILDKIT: '0' }, timeoutMs: 120_000 });
}

async function built(files: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<string> {
  const tag = uniqueName('image');
  const result = await build(context(files), '-t', tag, ...options);
  assert.equal(result.code, 0, result.output);
  return tag;
}

const show = (image: string, ...command: readonly string[]) =>
  daemon().ok('run', '--rm', '--network', 'none', image, ...command);

test('docker build runs, copies, and sets what the Dockerfile says', async () => {
  const image = await built({
    Dockerfile: `# syntax=docker/dockerfile:1
ARG BASE=${BUSYBOX}
FROM \${BASE} AS made
ARG WHO=world
ENV GREETING="hello $WHO" PATH=$PATH:/extra
RUN echo "$GREETING" >/greeting
WORKDIR /app
WORKDIR sub
COPY --chown=12:34 --chmod=640 data/ ./
FROM made
USER 12:34
COPY --from=made /greeting /copied
COPY <<one <<"two" /inline/
$WHO
one
$WHO
two
LABEL a=b c="d e"
EXPOSE 80 90-91/udp
VOLUME /v
STOPSIGNAL SIGINT
HEALTHCHECK --interval=3s --retries=2 CMD true
ENTRYPOINT ["cat"]
CMD ["/copied"]
`,
    'data/one': 'one',
    'data/deep/two': 'two',
  });
  assert.equal(await show(image), 'hello world');
  assert.equal(
    await daemon().ok(
      'run',
      '--rm',
      '-u',
      '0',
      '--entrypoint',
      'sh',
      image,
      '-c',
      'pwd; stat -c "%a %u:%g %n" * deep/two; cat /inline/*',
    ),
    '/app/sub\n640 12:34 deep\n640 12:34 one\n640 12:34 deep/two\nworld\n$WHO',
  );
  const config = JSON.parse(await daemon().ok('inspect', '-f', '{{json .Config}}', image));
  assert.deepEqual(
    [config.Labels, config.ExposedPorts, config.Volumes, config.StopSignal, config.Healthcheck, config.Cmd],
    [
      { a: 'b', c: 'd e' },
      { '80/tcp': {}, '90/udp': {}, '91/udp': {} },
      { '/v': {} },
      'SIGINT',
      { Test: ['CMD-SHELL', 'true'], Interval: 3e9, Retries: 2 },
      ['/copied'],
    ],
  );
});

test('a second build comes from the cache and is the same image; a changed file runs what follows it', async () => {
  const dockerfile = `FROM ${BUSYBOX}\nRUN cat /proc/sys/kernel/random/uuid >/first\nCOPY a /a\nRUN cat /proc/sys/kernel/random/uuid >/second\n`;
  const folder = context({ Dockerfile: dockerfile, a: '1' });
  const first = (await build(folder, '-q')).stdout.trim();
  writeFileSync(join(folder, 'a'), '1');
  assert.equal((await build(folder, '-q')).stdout.trim(), first);
  writeFileSync(join(folder, 'a'), '2');
  const changed = (await build(folder, '-q')).stdout.trim();
  assert.notEqual(changed, first);
  assert.equal(await show(changed, 'cat', '/first'), await show(first, 'cat', '/first'));
  assert.notEqual(await show(changed, 'cat', '/second'), await show(first, 'cat', '/second'));
  const fresh = (await build(folder, '-q', '--no-cache')).stdout.trim();
  assert.notEqual(await show(fresh, 'cat', '/first'), await show(first, 'cat', '/first'));
});

test('stages that are not needed do not run, others run side by side, and --target ends at one', async () => {
  const files = {
    Dockerfile: `FROM ${BUSYBOX} AS base
FROM base AS unused
RUN exit 1
FROM base AS one
RUN mkdir /m; echo 1 >/m/1
FROM base AS two
RUN mkdir /m; echo 2 >/m/2
FROM base
COPY --from=one /m /m
COPY --from=two /m /m
`,
  };
  assert.equal(await show(await built(files), 'ls', '/m'), '1\n2');
  assert.equal(await show(await built(files, '--target', 'one'), 'ls', '/m'), '1');
  const missing = await build(context(files), '--target', 'on');
  assert.match(missing.output, /target stage "on" could not be found \(did you mean one\?\)/);
});

test('RUN --mount shows binds, keeps caches, forgets tmpfs; mounts leave nothing in the image', async () => {
  const image = await built({
    Dockerfile: `FROM ${BUSYBOX} AS source
RUN echo from-stage >/file
FROM ${BUSYBOX}
RUN --mount=from=source,source=/file,target=/bound --mount=target=/context cat /bound /context/here >/seen
RUN --mount=type=cache,id=c-${process.pid},target=/cache echo kept >/cache/it
RUN --mount=type=cache,id=c-${process.pid},target=/other cat /other/it >>/seen
RUN --mount=type=tmpfs,target=/t,size=1m touch /t/x
RUN --mount=type=bind,rw,target=/context touch /context/new && ls /context | wc -l >>/seen
RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent
RUN ls / >/listing
`,
    here: 'from-context\n',
  });
  assert.equal(await show(image, 'cat', '/seen'), 'from-stage\nfrom-context\nkept\n3');
  assert.doesNotMatch(await show(image, 'cat', '/listing'), /bound|context|cache|other|^t$/m);
});

test('ADD fetches, checks and unpacks; .dockerignore keeps files out', async () => {
  const server = createServer((_, response) => {
    response.setHeader('Last-Modified', 'Thu, 01 Jan 2015 00:00:00 GMT');
    response.end('fetched');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir/file.txt`;
  try {
    const folder = context({
      Dockerfile: `FROM ${BUSYBOX}\nADD archive.tar.gz /unpacked/\nADD ${url} /got/\nCOPY . /all/\n`,
      '.dockerignore': 'secret*\n!secret-but-wanted\n**/*.log\n',
      'secret-key': '',
      'secret-but-wanted': '',
      'deep/x.log': '',
      'deep/y': '',
    });
    await run(['tar', '-czf', join(folder, 'archive.tar.gz'), '-C', folder, 'deep/y']);
    const image = uniqueName('add');
    const result = await build(folder, '-t', image);
    assert.equal(result.code, 0, result.output);
    assert.equal(
      await show(image, 'ls', '-A', '/all', '/all/deep', '/unpacked/deep'),
      '/all:\n.dockerignore\nDockerfile\narchive.tar.gz\ndeep\nsecret-but-wanted\n\n/all/deep:\ny\n\n/unpacked/deep:\ny',
    );
    assert.equal(await show(image, 'stat', '-c', '%a %Y', '/got/file.txt'), '600 1420070400');
    const wrong = `FROM ${BUSYBOX}\nADD --checksum=sha256:${'0'.repeat(64)} ${url} /x\n`;
    assert.match((await build(context({ Dockerfile: wrong }))).output, /digest mismatch/);
  } finally {
    server.close();
  }
});

test('a step that fails says so with its status, and those before it stay in the cache', async () => {
  const files = {
    Dockerfile: `FROM ${BUSYBOX}\nRUN cat /proc/sys/kernel/random/uuid; echo before\nRUN echo now >&2; exit 7\n`,
  };
  const first = await build(context(files));
  assert.equal(first.code, 7);
  assert.match(first.output, /now/);
  assert.match(first.output, /The command '\/bin\/sh -c echo now >&2; exit 7' returned a non-zero code: 7/);
  assert.match((await build(context(files))).output, /Step 2\/3.*\n ---> Using cache/);
});

const FAULTS: readonly (readonly [string, RegExp])[] = [
  [`FROM ${BUSYBOX}\nRUNN x`, /dockerfile parse error on line 2: unknown instruction: RUNN \(did you mean RUN\?\)/],
  [
    `FROM ${BUSYBOX}\nCOPY nothere /x`,
    /COPY failed: file not found in build context .*: stat nothere: file does not exist/,
  ],
  ['FROM scratch', /No image was generated\. Is your Dockerfile empty\?/],
  [`FROM ${BUSYBOX}\nCOPY --from=nope-${process.pid}/x:1 /a /b`, /nope/],
  [`FROM ${BUSYBOX}\nRUN --mount=type=secret,id=s,required x`, /secret s: not found/],
  ['', /cannot be empty/],
];

for (const [dockerfile, message] of FAULTS) {
  test(`docker build refuses ${JSON.stringify(dockerfile.split('\n').at(-1))}`, async () => {
    const result = await build(context({ Dockerfile: dockerfile }));
    assert.notEqual(result.code, 0);
    assert.match(result.output, message);
  });
}

test('symlinks of a context and of an image lead nowhere outside', async () => {
  const folder = context({
    Dockerfile: `FROM ${BUSYBOX}\nRUN ln -s /tmp /link\nCOPY out /link/\nCOPY dir/ /d/\n`,
    'dir/x': '',
  });
  symlinkSync('/etc/hostname', join(folder, 'out'));
  symlinkSync('/etc', join(folder, 'dir', 'etc'));
  const result = await build(folder);
  assert.notEqual(result.code, 0);
  assert.match(result.output, /not found/);
});

test('a client that leaves stops its build, and nothing of it runs on', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN sleep ${SLEEP}\n` });
  const sleeping = async () => (await run(['pgrep', '-f', `sleep ${SLEEP}`])).stdout.trim() !== '';
  const abort = run(['timeout', '-s', 'INT', '3', 'docker', 'build', folder], {
    env: { ...clientEnvironment(daemon().host), DOCKER_BUILDKIT: '0' },
  });
  await eventually('the step runs', sleeping);
  await abort;
  await eventually('it has ended', async () => !(await sleeping()));
});

test('built images are saved and loaded, and the cache is shown and pruned', async () => {
  const image = await built({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo x >/${uniqueName('f')}\n` });
  const archive = join(scratch, 'image.tar');
  await daemon().ok('save', '-o', archive, image);
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', image);
  await daemon().ok('rmi', image);
  await daemon().ok('load', '-i', archive);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', image), id);
  assert.match(await daemon().ok('system', 'df'), /Build Cache +[1-9]/);
  await daemon().ok('builder', 'prune', '-af');
  assert.match(await daemon().ok('system', 'df'), /Build Cache +0/);
  assert.equal(await show(image, 'echo', 'still here'), 'still here');
});

test('a build that a crash of the daemon ended leaves the cache whole', async () => {
  const folder = context({ Dockerfile: `FROM ${BUSYBOX}\nRUN echo ${uniqueName()} >/kept\nRUN sleep ${SLEEP}\n` });
  const ending = build(folder);
  await eventually('the step runs', async () => (await run(['pgrep', '-f', `sleep ${SLEEP}`])).stdout.trim() !== '');
  await daemon().crash();
  assert.notEqual((await ending).code, 0);
  await eventually(
    'the step has ended',
    async () => (await run(['pgrep', '-f', `sleep ${SLEEP}`])).stdout.trim() === '',
  );
  writeFileSync(
    join(folder, 'Dockerfile'),
    readFileSync(join(folder, 'Dockerfile'), 'utf8').replace(`sleep ${SLEEP}`, 'true'),
  );
  const again = await build(folder);
  assert.equal(again.code, 0, again.output);
  assert.match(again.output, /Step 2\/3.*\n ---> Using cache/);
});

test('docker-compose 1.29 builds and runs a service', async () => {
  const folder = context({
    'docker-compose.yml':
      'version: "3"\nservices: { app: { build: { context: ., args: { WORD: fine } }, network_mode: none } }\n',
    Dockerfile: `FROM ${BUSYBOX}\nARG WORD\nENV WORD=$WORD\nCMD echo built $WORD\n`,
  });
  const compose = (...args: readonly string[]) =>
    run(['docker-compose', ...args], { cwd: folder, env: clientEnvironment(daemon().host), timeoutMs: 60_000 });
  const up = await compose('up', '--build');
  assert.match(up.output, /built fine/);
  await compose('down', '--rmi', 'all');
});
