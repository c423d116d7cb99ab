import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { ComposeClient } from './lib/compose.ts';
import { freePort } from './lib/free-port.ts';
import { BUSYBOX } from './lib/images.ts';
import { fetchPage, Load } from './lib/load.ts';
import { daemonForFile, eventually } from './lib/suite.ts';

const daemon = daemonForFile();
/** What asks for ports of this machine, which a dockerd in a network of its own has not, and for what only wharf's daemon can. */
const ours = { skip: process.env['WHARF_E2E_PEER'] !== undefined };

const project = (compose: string, files: Readonly<Record<string, string>> = {}) =>
  ComposeClient.of(daemon().host, { 'compose.yaml': compose, ...files });

const service = (more = '') =>
  `{ image: "${BUSYBOX}", command: sleep 1000, init: true, stop_grace_period: 2s, ${more} }`;

/** Files that are refused, and what is said of each. */
const BROKEN: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['a list that is not closed', 'services:\n  web:\n    image: x\n    ports: [80\n', [/compose\.yaml:[45]/]],
  ['a tab', 'services:\n  web:\n\timage: x\n', [/compose\.yaml:3/]],
  ['a key twice', 'services:\n  web:\n    image: x\n    image: y\n', [/compose\.yaml:4/, /image/]],
  ['an unknown anchor', 'services:\n  web: *nobody\n', [/compose\.yaml:2/, /nobody/]],
  ['a misspelt key', 'services:\n  web:\n    imag: x\n', [/compose\.yaml:3/, /imag/, /image/]],
  ['a misspelt key of the top', 'service:\n  web:\n    image: x\n', [/compose\.yaml:1/, /services/]],
  ['a wrong type', 'services:\n  web:\n    image: x\n    ports: eighty\n', [/compose\.yaml:4/, /ports/]],
  ['a number where there is none', 'services:\n  web:\n    image: x\n    mem_limit: lots\n', [/lots/]],
  ['neither image nor build', 'services:\n  web:\n    command: x\n', [/web/, /image/, /build/]],
  ['an unknown network', `services:\n  web:\n    image: x\n    networks: [back]\n`, [/web/, /back/]],
  ['an unknown volume', 'services:\n  web:\n    image: x\n    volumes: ["data:/data"]\n', [/web/, /data/]],
  ['an unknown secret', 'services:\n  web:\n    image: x\n    secrets: [key]\n', [/web/, /key/]],
  ['an unknown dependency', 'services:\n  web:\n    image: x\n    depends_on: [db]\n', [/web/, /db/]],
  [
    'a cycle',
    'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n',
    [/cycle/, /a -> b|b -> a/],
  ],
  ['itself as dependency', 'services:\n  a: {image: x, depends_on: [a]}\n', [/cycle/]],
  ['a missing variable', 'services:\n  web:\n    image: ${WHICH:?say which}\n', [/WHICH/, /say which/]],
  ['a broken variable', 'services:\n  web:\n    image: ${WHICH\n', [/compose\.yaml:3|services\.web\.image/]],
  ['a missing env_file', 'services:\n  web:\n    image: x\n    env_file: nowhere.env\n', [/nowhere\.env/]],
  ['a missing extends', 'services:\n  web:\n    extends: {file: nowhere.yaml, service: a}\n', [/nowhere\.yaml/]],
  ['an unknown service to extend', 'services:\n  web:\n    extends: {service: a}\n', [/web/, /"?a"?/]],
  ['a missing include', 'include: [nowhere.yaml]\nservices:\n  web:\n    image: x\n', [/nowhere\.yaml/]],
  ['a port out of range', 'services:\n  web:\n    image: x\n    ports: ["70000:80"]\n', [/70000/]],
  ['no services', 'services: {}\n', [/no service/]],
  ['a list', '- a\n', [/compose\.yaml/]],
  ['nothing', '', [/compose\.yaml|empty/]],
];

test('a broken file is refused with its place and what is wrong, and nothing of it is made', async () => {
  const results = await Promise.all(
    BROKEN.map(async ([what, text, expected]) => {
      const result = await project(text).try(['up', '-d']);
      const says = expected.filter((pattern) => !pattern.test(result.stderr)).map(String);
      const short = result.stderr.trim().split('\n').length <= 4;
      return result.code !== 0 && says.length === 0 && short
        ? []
        : [{ what, lacks: says, code: result.code, said: result.output }];
    }),
  );
  assert.deepEqual(results.flat(), []);
  assert.equal(await daemon().ok('ps', '-aq'), '');
});

/** A chain of services, each of which waits for the one before. `version` is in all of them: another one recreates them. */
function chain(length: number, version: number): string {
  const services = Array.from({ length }, (_, index) => {
    const after = index === 0 ? '' : `, depends_on: { s${index - 1}: { condition: service_healthy } }`;
    const health = 'healthcheck: { test: "true", interval: 5s, start_period: 5s, start_interval: 100ms }';
    return `  s${index}: ${service(`labels: { version: "${version}" }, ${health}${after}`)}`;
  });
  return `services:\n${services.join('\n')}\n`;
}

const LENGTH = 3;
const WHOLE = Object.fromEntries(Array.from({ length: LENGTH }, (_, index) => [`s${index}-1`, 'running']));

/** Resolves with what ended it when a client has written so many lines and was sent a signal. */
function endAfter(
  client: ChildProcess,
  lines: number,
  signal: NodeJS.Signals,
): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => {
    let seen = 0;
    client.stdout?.resume();
    client.stderr?.on('data', (chunk: Buffer) => {
      const before = seen;
      seen += chunk.toString().split('\n').length - 1;
      if (before < lines && seen >= lines) client.kill(signal);
    });
    client.once('close', (code, by) => resolve(by ?? code));
  });
}

/** Ends `up` at a moment, from nothing and while it recreates everything; the next one completes what was begun. */
async function interruptedAt(signal: NodeJS.Signals, lines: number): Promise<void> {
  const app = project(chain(LENGTH, 0));
  const ofProject = ['--filter', `label=com.docker.compose.project=${app.name}`];
  for (const version of [0, 1]) {
    app.write('compose.yaml', chain(LENGTH, version));
    const client = app.start('--progress', 'plain', 'up', '-d', '--wait');
    assert.equal(await endAfter(client, lines, signal), signal === 'SIGINT' ? 130 : signal);
    await app.ok('up', '-d', '--wait');
    assert.deepEqual(await app.states(), WHOLE, `after ${signal} at line ${lines}, version ${version}`);
    const versions = await daemon().ok('ps', '-a', ...ofProject, '--format', '{{.Label "version"}}');
    assert.deepEqual(new Set(versions.split('\n')), new Set([String(version)]));
  }
  await app.ok('down');
  assert.equal(await daemon().ok('ps', '-aq', ...ofProject), '');
  assert.equal(await daemon().ok('network', 'ls', '-q', ...ofProject), '');
}

/** Ends an update that starts the new containers first; the page answers all the while, and the next up completes the update. */
async function updateInterruptedAt(signal: NodeJS.Signals, lines: number): Promise<void> {
  const port = await freePort();
  const files = (version: number) => `services:
  web:
    image: "${BUSYBOX}"
    command: sh -c 'mkdir /www; echo version ${version} >/www/index.html; exec httpd -f -p 80 -h /www'
    init: true
    ports: ["127.0.0.1:${port}:80"]
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/", interval: 5s, start_period: 5s, start_interval: 100ms }
    deploy: { update_config: { order: start-first } }
    # This server does not answer what is under way when it is told to stop.
    pre_stop: [{ command: sleep 1 }]
`;
  const app = project(files(1));
  await app.ok('up', '-d', '--wait');
  const load = new Load(`http://127.0.0.1:${port}/`);
  try {
    app.write('compose.yaml', files(2));
    await endAfter(app.start('--progress', 'plain', 'up', '-d', '--wait'), lines, signal);
    await app.ok('up', '-d', '--wait');
  } finally {
    await load.stop();
  }
  assert.deepEqual(load.failures, [], `after ${signal} at line ${lines}, of ${load.bodies.length} requests`);
  assert.equal(await fetchPage(`http://127.0.0.1:${port}/`), 'version 2\n');
  assert.deepEqual(await app.states(), { 'web-1': 'running' });
  await app.ok('down');
}

describe('compose', { concurrency: 3 }, () => {
  test('missing files, folders and services are named', async () => {
    const empty = ComposeClient.of(daemon().host, {});
    assert.match((await empty.try(['up', '-d'])).stderr, /no configuration file provided: not found/);
    assert.match((await empty.try(['-f', 'nowhere.yaml', 'up'])).stderr, /nowhere\.yaml: no such file or directory/);
    const one = project(`services:\n  web: ${service()}\nsecrets: {}\n`);
    assert.match((await one.try(['up', '-d', 'nobody'])).stderr, /no such service: nobody/);
    assert.match((await one.try(['--profile', 'x', '--env-file', 'nowhere.env', 'up'])).stderr, /nowhere\.env/);
    const missing = project(
      `services:\n  web: ${service('secrets: [key]')}\nsecrets: { key: { file: nowhere.txt } }\n`,
    );
    const refused = await missing.try(['up', '-d']);
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /nowhere\.txt/);
    missing.write('nowhere.txt', 'now there');
    await missing.ok('up', '-d');
    assert.equal(await missing.ok('exec', 'web', 'cat', '/run/secrets/key'), 'now there');
    await missing.ok('down');
  });

  test('a port that somebody has is named, and the next up goes on when it is free', ours, async () => {
    const port = await freePort();
    const holder = createServer().listen(port, '127.0.0.1').unref();
    const app = project(`services:
  db: ${service()}
  web: ${service(`ports: ["127.0.0.1:${port}:80"], depends_on: [db]`)}
`);
    const failed = await app.try(['up', '-d']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, new RegExp(`${port}`));
    assert.match(failed.stderr, /in use|already allocated/);
    assert.equal((await app.states())['db-1'], 'running');
    await new Promise((resolve) => holder.close(resolve));
    await app.ok('up', '-d');
    assert.deepEqual(await app.states(), { 'db-1': 'running', 'web-1': 'running' });
    await app.ok('down');
  });

  test('an image that cannot be had is named, and the next up goes on when it is there', async () => {
    const app = project(`services:
  db: ${service()}
  web: { image: "localhost:1/nothing:1", command: sleep 1000, init: true, depends_on: [db] }
`);
    const failed = await app.try(['up', '-d']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /localhost:1/);
    await daemon().ok('tag', BUSYBOX, 'localhost:1/nothing:1');
    await app.ok('up', '-d');
    assert.deepEqual(await app.states(), { 'db-1': 'running', 'web-1': 'running' });
    await app.ok('down');
    await daemon().ok('rmi', 'localhost:1/nothing:1');
  });

  test('a build that fails says why; the next up builds what was mended', async () => {
    const app = project(`services:\n  web: { build: ., command: sleep 1000, init: true }\n`, {
      Dockerfile: `FROM ${BUSYBOX}\nRUN echo on the way && exit 7\n`,
    });
    const failed = await app.try(['up', '-d']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /on the way/);
    assert.match(failed.output, /exit code: 7/);
    assert.deepEqual(await app.states(), {});
    app.write('Dockerfile', `FROM ${BUSYBOX}\nRUN true\n`);
    await app.ok('up', '-d');
    assert.deepEqual(await app.states(), { 'web-1': 'running' });
    await app.ok('down', '--rmi', 'local');
  });

  test('a dependency that never gets healthy or fails ends up, and the next up goes on from there', async () => {
    const health = (test: string) =>
      `healthcheck: { test: "${test}", interval: 100ms, retries: 2, start_period: 0s, timeout: 2s }`;
    const text = (test: string, job: string) => `services:
  db: ${service(health(test))}
  job: { image: "${BUSYBOX}", command: "${job}" }
  web: ${service('depends_on: { db: { condition: service_healthy }, job: { condition: service_completed_successfully } }')}
`;
    const app = project(text('false', 'true'));
    const sick = await app.try(['up', '-d']);
    assert.notEqual(sick.code, 0);
    assert.match(sick.stderr, /dependency failed to start: container \S+-db-1 is unhealthy/);
    app.write('compose.yaml', text('true', 'false'));
    const failed = await app.try(['up', '-d']);
    assert.notEqual(failed.code, 0);
    assert.match(failed.stderr, /service "job" didn't complete successfully: exit 1/);
    app.write('compose.yaml', text('true', 'true'));
    await app.ok('up', '-d', '--wait');
    assert.deepEqual(await app.states(), { 'db-1': 'running', 'job-1': 'exited', 'web-1': 'running' });
    await app.ok('down');
  });

  test('a client that is killed while it brings a project up leaves what the next up completes', async () => {
    await Promise.all([1, 4, 7, 10].map((lines) => interruptedAt('SIGKILL', lines)));
  });

  test('ctrl-C while a project comes up ends at once, and the next up completes it', async () => {
    await Promise.all([2, 5, 9].map((lines) => interruptedAt('SIGINT', lines)));
  });

  test(
    'an update that is stopped or killed at any line loses no request, and the next up completes it',
    ours,
    async () => {
      const moments = [1, 2, 3, 4, 5, 6];
      await Promise.all(moments.map((lines) => updateInterruptedAt(lines % 2 === 0 ? 'SIGINT' : 'SIGKILL', lines)));
    },
  );

  test('ctrl-C of an attached up stops the containers and leaves them; again ends them at once', async () => {
    const app = project(`services:
  quick: { image: "${BUSYBOX}", init: true, command: "sh -c 'trap \\"echo bye; exit 0\\" TERM; echo ready; sleep 1000 & wait'" }
  stubborn: { image: "${BUSYBOX}", command: "sh -c 'trap \\"\\" TERM; echo ready; while true; do sleep 1; done'", stop_grace_period: 100s }
`);
    const client = app.start('up');
    let said = '';
    client.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    client.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => client.once('close', resolve));
    await eventually('both services are ready', () => Promise.resolve((said.match(/ready/g) ?? []).length === 2));
    client.kill('SIGINT');
    await eventually('one of them has said good-bye', () => Promise.resolve(said.includes('bye')));
    client.kill('SIGINT');
    assert.equal(await ended, 130, said);
    await eventually('both are stopped', async () =>
      Object.values(await app.states()).every((state) => state === 'exited'),
    );
    assert.deepEqual(await app.states(), { 'quick-1': 'exited', 'stubborn-1': 'exited' });
    await app.ok('down');
  });

  test('two ups of one project at once end in one project', ours, async () => {
    const app = project(chain(LENGTH, 0));
    const results = await Promise.all([app.try(['up', '-d', '--wait']), app.try(['up', '-d', '--wait'])]);
    assert.ok(
      results.some(({ code }) => code === 0),
      JSON.stringify(results),
    );
    await app.ok('up', '-d', '--wait');
    assert.deepEqual(await app.states(), WHOLE);
    await app.ok('down');
  });
});
