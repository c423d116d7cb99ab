import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { until } from '../scripts/lib/delay.ts';
import { ROOT } from '../scripts/lib/root.ts';
import type { RunResult } from '../scripts/lib/run.ts';
import { ComposeClient } from './lib/compose.ts';
import { BUSYBOX } from './lib/images.ts';
import { composePlugin } from './lib/plugins.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile } from './lib/suite.ts';

const WHARF = join(ROOT, 'bin/wharf');
const daemon = daemonForFile();

const FILE = `
services:
  web:
    image: ${BUSYBOX}
    command: sh -c 'echo hello; echo oh >&2; exec sleep 1000'
    stop_signal: SIGKILL
    ports: ["127.0.0.1::80", "53/udp"]
    volumes: [data:/data]
    depends_on: [db]
  db:
    image: ${BUSYBOX}
    command: sh -c 'echo ready; exec sleep 1000'
    stop_signal: SIGKILL
volumes: {data: {}}
`;

/** The same project for both clients. */
async function both(files: Readonly<Record<string, string>>) {
  const { folder, name } = ComposeClient.of(daemon().host, files);
  // With its name alone a project is what its containers say.
  const file = ['-f', join(folder, 'compose.yaml')];
  const client = (program: string, ...words: readonly string[]): ComposeClient =>
    new ComposeClient({ host: daemon().host, folder, name, client: [program, ...words, ...file] });
  return { ours: client(WHARF, 'compose'), peer: client(await composePlugin()) };
}

/** What is not the same twice is replaced; lines of things done at the same time are sorted. */
function settled({ code, stdout, stderr }: RunResult, name = '\0'): object {
  const lines = (text: string): readonly string[] =>
    text
      .replaceAll(name, 'PROJECT')
      .replaceAll(/[0-9a-f]{64}/g, 'ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'SHORT')
      .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+Z?/g, 'TIME')
      .replaceAll(/(?:Less than a|About a|About an|\d+) (?:second|minute|hour)s?/g, 'AGE')
      .replaceAll(/127\.0\.0\.1:\d+/g, 'PORT')
      .replaceAll(/ {2,}/g, '  ')
      .replaceAll(/"Labels":"[^"]*"|"PublishedPort":\d+/g, '')
      .split('\n')
      .map((line) => line.trimEnd())
      .toSorted();
  return { code, stdout: lines(stdout), stderr: lines(stderr) };
}

async function compare({ ours, peer }: Awaited<ReturnType<typeof both>>, line: readonly string[]): Promise<void> {
  const [mine, theirs] = await Promise.all([ours.try(line), peer.try(line)]);
  assert.deepEqual(settled(mine), settled(theirs), line.join(' '));
}

const LISTINGS = [
  ...['ps', 'ps -a', 'ps -q', 'ps --services', 'ps --format json', 'ps --status exited', 'ps db', 'ps --filter x'],
  ...[
    'images',
    'images -q',
    'images --format json db',
    'top',
    'top db',
    'ls --filter name=NAME',
    'ls -q --filter name=NAME',
    'ls --filter name=nothing',
  ],
  ...['port web 80', 'port web 81', 'port --protocol udp web 53', 'port web', 'port db x'],
  ...['volumes', 'volumes -q', 'volumes db', 'volumes --format json'],
  ...[
    'logs db',
    'logs --no-log-prefix web',
    'logs --no-log-prefix',
    'logs -t db',
    'logs --index 1',
    'logs --index 1 db',
  ],
  ...[
    'config',
    'config --format json',
    'config --services',
    'config --images',
    'config --hash web',
    'config --volumes',
  ],
  ...['exec -T db echo hi', 'exec -T db false', 'exec -T nothing true', 'exec -T --index 7 db true', 'exec db'],
  ...['up --build --no-build', 'up -d --watch', 'up --wait --attach web', 'up --unknown', 'down --rmi some'],
  ...['scale web', 'scale web=x', 'wait nothing', 'kill -s NOPE db'],
];

describe('wharf compose', { concurrency: true }, () => {
  test('lists, texts and statuses are those of docker compose', async () => {
    const projects = await both({ 'compose.yaml': FILE });
    await projects.ours.ok('up', '-d');
    await until('output', async () => (await projects.ours.ok('logs')).includes('hello') || undefined, PATIENT);
    // Each begins a program of its own: several at a time.
    const lines = LISTINGS.map((line) => line.replace('NAME', projects.ours.name).split(' ')).values();
    const some = async (): Promise<void> => {
      for (const line of lines) await compare(projects, line);
    };
    await Promise.all(Array.from({ length: 4 }, some));
    await projects.ours.ok('down', '-v');
  });

  const CHANGES = [
    ...['up -d', 'up -d', 'pause', 'unpause', 'stop db', 'start', 'restart web', 'kill db', 'up -d --force-recreate'],
    ...['up -d --scale db=2 --no-recreate', 'scale db=1', 'rm -f', 'rm -sf web', 'create', 'up -d --no-deps web'],
    ...['run --rm -T db echo one', 'run --rm -T -e A=b --entrypoint env db', 'run -d --name NAME db sleep 9'],
    ...['down', 'down --remove-orphans -v', 'down', 'rm -f', 'kill', 'up --no-start', 'down -v'],
  ];

  test('what is done is told line by line as docker compose tells it', async () => {
    const [{ ours }, { peer }] = await Promise.all([both({ 'compose.yaml': FILE }), both({ 'compose.yaml': FILE })]);
    const told = async (project: ComposeClient): Promise<readonly object[]> => {
      const results: object[] = [];
      for (const line of CHANGES) {
        const words = line.replace('NAME', `${project.name}-own`).split(' ');
        results.push({ line, ...settled(await project.try(words), project.name) });
      }
      return results;
    };
    const [mine, theirs] = await Promise.all([told(ours), told(peer)]);
    assert.deepEqual(mine, theirs);
  });

  /** Beside other tests things take their time. */
  const PATIENT = { timeoutMs: 30_000 };

  /** All that a process writes, as it comes. */
  function collect(child: ChildProcess) {
    const seen = { text: '' };
    const more = (chunk: Buffer): void => {
      seen.text += chunk.toString();
    };
    child.stdout?.on('data', more);
    child.stderr?.on('data', more);
    const code = once(child, 'close').then(([status]) => status as number | null);
    return {
      ...{ seen, code },
      until: (what: string) => until(what, () => seen.text.includes(what) || undefined, PATIENT),
      [Symbol.dispose]: () => void child.kill('SIGKILL'),
    };
  }

  test('up in the foreground shows all output, and ends with the status it is asked for', {
    concurrency: true,
  }, async () => {
    const project = ComposeClient.of(daemon().host, {
      'compose.yaml': `
services:
  job: {image: ${BUSYBOX}, command: sh -c 'echo at work; echo trouble >&2; exit 3'}
  longer: {image: ${BUSYBOX}, command: sleep 1000, stop_signal: SIGKILL}`,
    });
    const up = await project.try(['up', '--exit-code-from', 'job']);
    assert.equal(up.code, 3, up.output);
    assert.match(up.stdout, /^Attaching to job-1, longer-1\n/);
    assert.match(up.stdout, /^job-1 {5}\| at work$/m);
    assert.match(up.stderr, /^job-1 {5}\| trouble$/m);
    assert.match(up.stdout, /job-1 exited with code 3\n/);
    assert.match(up.stderr, /Aborting on container exit\.\.\./);
    assert.deepEqual(Object.keys(await project.states()), ['job-1', 'longer-1']);
    await project.ok('down');
  });

  test('the first interrupt of up stops the application, the second one kills it', async () => {
    const project = ComposeClient.of(daemon().host, {
      'compose.yaml': `
services:
  kind: {image: ${BUSYBOX}, command: sh -c 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'}
  stubborn:
    image: ${BUSYBOX}
    command: sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done'
    stop_grace_period: 1h`,
    });
    const child = project.start('up');
    using up = collect(child);
    await up.until('stubborn-1  | up');
    await up.until('kind-1      | up');
    child.kill('SIGINT');
    await up.until('kind-1 exited with code 0');
    assert.match(up.seen.text, /Gracefully Stopping\.\.\. press Ctrl\+C again to force/);
    assert.match(up.seen.text, /kind-1 {6}\| bye/);
    child.kill('SIGINT');
    assert.equal(await up.code, 130);
    assert.match(up.seen.text, /stubborn-1 exited with code 137/);
    await project.ok('down');
  });

  test('run leads signals to its container, and ends with its status', async () => {
    const project = ComposeClient.of(daemon().host, { 'compose.yaml': `services: {job: {image: ${BUSYBOX}}}` });
    const child = project.start(
      'run',
      '--rm',
      '-T',
      'job',
      'sh',
      '-c',
      'trap "exit 9" TERM; echo on; while :; do sleep 0.05; done',
    );
    using run = collect(child);
    await run.until('on\n');
    child.kill('SIGTERM');
    assert.equal(await run.code, 9);
    await project.ok('down');
  });

  test('logs -f goes on with a container that is started again', async () => {
    const project = ComposeClient.of(daemon().host, {
      'compose.yaml': `services: {job: {image: ${BUSYBOX}, command: sh -c 'echo $$HOSTNAME run; exec sleep 1000', stop_signal: SIGKILL}}`,
    });
    await project.ok('up', '-d');
    const child = project.start('logs', '-f');
    using logs = collect(child);
    await logs.until(' run');
    await project.ok('restart');
    await until('the second run', () => logs.seen.text.split(' run').length === 3 || undefined, PATIENT);
    child.kill('SIGINT');
    assert.equal(await logs.code, 130);
    await project.ok('down');
  });

  const BUILT = `
services:
  base:
    build: {context: ., args: {WORD: hello}, labels: {a: b}}
    command: sleep 1000
    stop_signal: SIGKILL
    develop:
      watch:
        - {path: ./src, action: sync, target: /src, ignore: ["*.tmp"]}
        - {path: ./Dockerfile, action: rebuild}
  top:
    build:
      dockerfile_inline: |
        FROM ${BUSYBOX}
        COPY --from=below /word /copied
      additional_contexts: {below: "service:base"}
    command: cat /copied
`;
  const DOCKERFILE = `FROM ${BUSYBOX}\nARG WORD\nRUN echo $WORD > /word\nCOPY src /src\n`;

  test('build makes images of services and of their inline files, and prints what bake would be told', {
    concurrency: true,
  }, async () => {
    const projects = await both({ 'compose.yaml': BUILT, Dockerfile: DOCKERFILE, 'src/a': 'one' });
    const { ours, peer } = projects;
    const printed = await Promise.all([ours.ok('build', '--print'), peer.ok('build', '--print')]);
    const [mine, theirs] = printed.map((text) => {
      const { group, target } = JSON.parse(text) as { group: { default: { targets: string[] } }; target: object };
      return { target, targets: group.default.targets.toSorted() };
    });
    assert.deepEqual(mine, theirs);
    await ours.ok('build', 'top');
    assert.match(await ours.ok('run', '--rm', '-T', 'top'), /^hello$/m);
    const labels = await daemon().ok('image', 'inspect', '-f', '{{json .Config.Labels}}', `${ours.name}-base`);
    assert.match(labels, /"a":"b".*"com.docker.compose.service":"base"/);
    ours.write('Dockerfile', `FROM ${BUSYBOX}\nRUN false\n`);
    const failed = await ours.try(['build', 'base']);
    assert.equal(failed.code, 1);
    assert.match(failed.stderr, /Dockerfile:2\n(?:.*\n)*.*did not complete successfully: exit code: 1/);
    await ours.ok('down', '--rmi', 'local');
  });

  test('watch brings changed files into the container, takes deleted ones out, and builds anew', {
    concurrency: true,
  }, async () => {
    const project = ComposeClient.of(daemon().host, { 'compose.yaml': BUILT, Dockerfile: DOCKERFILE, 'src/a': 'one' });
    const child = project.start('watch', 'base');
    using watch = collect(child);
    await watch.until('Watch enabled');
    const inside = async (): Promise<string> =>
      (await project.try(['exec', '-T', 'base', 'sh', '-c', 'cd /src; ls -R; cat a'])).stdout;
    mkdirSync(join(project.folder, 'src/deep/er'), { recursive: true });
    project.write('src/deep/er/file', 'x');
    project.write('src/skipped.tmp', 'x');
    project.write('src/a', 'two');
    await until('the files', async () => /file\n(?:.*\n)*two/.test(await inside()) || undefined, PATIENT);
    assert.doesNotMatch(await inside(), /skipped/);
    rmSync(join(project.folder, 'src/deep'), { recursive: true });
    await until('the deletion', async () => !/deep/.test(await inside()) || undefined, PATIENT);
    project.write('Dockerfile', `${DOCKERFILE}RUN touch /anew\n`);
    await watch.until('service(s) ["base"] successfully built');
    assert.match(await project.ok('exec', '-T', 'base', 'ls', '/'), /anew/);
    child.kill('SIGINT');
    assert.equal(await watch.code, 130);
    await project.ok('down', '--rmi', 'local');
  });

  test('publish puts files where docker compose finds them, and finds what that put there', async () => {
    await using registry = await TestRegistry.start({ tls: true });
    const { ours, peer } = await both({ 'compose.yaml': FILE });
    const { caFile } = registry;
    const cache = { SSL_CERT_FILE: caFile, NODE_EXTRA_CA_CERTS: caFile, XDG_CACHE_HOME: join(ours.folder, 'cache') };
    const [mine, theirs] = [ours.with(cache), peer.with(cache)];
    const services = async (project: ComposeClient, tag: string): Promise<string> => {
      const elsewhere = new ComposeClient({
        ...{ host: daemon().host, folder: project.folder, name: project.name, env: cache },
        client: [
          ...(project === mine ? ([WHARF, 'compose'] as const) : ([await composePlugin()] as const)),
          '-f',
          `oci://${registry.name}/me/shop:${tag}`,
        ],
      });
      return elsewhere.ok('config', '--services');
    };
    assert.match((await mine.try(['publish', '-y', `${registry.name}/me/shop:1`])).stderr, /me\/shop:1 published/);
    await theirs.ok('publish', '-y', `${registry.name}/me/shop:2`);
    assert.equal(await services(theirs, '1'), 'db\nweb');
    assert.equal(await services(mine, '2'), 'db\nweb');
    assert.match((await mine.try(['publish', 'localhost:1/none'])).stderr, /localhost:1\/none publishing/);
  });

  test('plan says what up would do and why, and changes nothing', async () => {
    const project = ComposeClient.of(daemon().host, { 'compose.yaml': FILE });
    assert.match(await project.ok('plan'), /create \S+web-1: +it is not there/);
    assert.deepEqual(await project.states(), {});
    await project.ok('up', '-d');
    assert.match(await project.ok('plan'), /^Nothing to do/);
    project.write('compose.yaml', FILE.replace('echo ready', 'echo steady'));
    assert.match(await project.ok('plan'), /db-1: +its configuration changed/);
    await project.ok('down', '-v');
  });
});
