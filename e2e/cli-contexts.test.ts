import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { must, run } from '../scripts/lib/run.ts';
import { bothClients } from './lib/both-clients.ts';
import { BUSYBOX } from './lib/images.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile } from './lib/suite.ts';
import { Terminal } from './lib/terminal.ts';

const daemon = daemonForFile();
let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
  const add = [
    join(ROOT, 'bin/wharf'),
    'registry',
    'users',
    'add',
    'me',
    '--password-stdin',
    '--root',
    registry.root,
  ] as const;
  await must(add, { input: 'secretsecret' });
});
after(() => registry[Symbol.asyncDispose]());

const place = (): string => join(contexts.folder, 'place');
const contexts = bothClients(
  () => daemon().host,
  () => ({
    ...{ DOCKER_HOST: undefined, DOCKER_CONFIG: join(contexts.folder, 'config/of-contexts') },
    ...{ HOST: daemon().host, PLACE: place() },
  }),
);
const logins = bothClients(
  () => daemon().host,
  () => ({
    ...{ REGISTRY: registry.name, DOCKER_CONFIG: join(logins.folder, 'config/of-logins') },
    PLACE: join(logins.folder, 'place'),
  }),
);

test('contexts are made, shown, changed, packed and used as by docker, in the same files', async () => {
  await contexts.compareInTurn('contexts');
});

test('accounts are tried and kept as by docker, in the same file and by the same helpers', async () => {
  await logins.compareInTurn('logins');
});

test('who logs in on a terminal is asked, the password is not shown, and ctrl-C ends as with docker', async () => {
  const shown: string[] = [];
  for (const client of [await logins.theirs(), logins.ours]) {
    rmSync(join(logins.folder, 'config/of-logins'), { recursive: true, force: true });
    const on = (...words: readonly string[]) => new Terminal([client, ...words], { env: logins.environment() });
    await using login = on('login', registry.name);
    await login.sees('Username: ');
    login.type('me\n');
    await login.sees('Password: ');
    login.type('secretsecret\n');
    shown.push(`${await login.exit()} ${login.text}`);
    await using left = on('login', '-u', 'me', registry.name);
    await left.sees('Password: ');
    left.type('\u0003');
    shown.push(`${await left.exit()} ${left.text}`);
    await using prune = on('image', 'prune');
    await prune.sees('[y/N] ');
    prune.type('\u0003');
    shown.push(`${await prune.exit()} ${prune.text}`);
  }
  assert.deepEqual(shown.slice(3), shown.slice(0, 3));
  assert.doesNotMatch(shown.join(''), /secretsecret/);
});

test('keys of the configuration that nobody knows outlive a change', async () => {
  const directory = join(contexts.folder, 'kept');
  mkdirSync(directory);
  writeFileSync(join(directory, 'config.json'), '{"mine":{"a":[1]},"currentContext":"x"}');
  await must([contexts.ours, 'context', 'use', 'default'], {
    env: { ...contexts.environment(), DOCKER_CONFIG: directory },
  });
  assert.deepEqual(JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')), { auths: {}, mine: { a: [1] } });
});

test('ssh:// runs ssh as docker does, and everything goes through it: lists, streams, builds', async () => {
  const bin = join(contexts.folder, 'bin');
  mkdirSync(bin);
  // Another machine, of which only the command line is played: its words are kept, and its shell is ours.
  writeFileSync(
    join(bin, 'ssh'),
    `#!/bin/sh\necho "$*" >>'${bin}/said'\nwhile [ "$1" != -- ]; do shift; done; shift 2\nunset DOCKER_HOST\nPATH='${ROOT}/bin':$PATH; export PATH\nexec sh -c "$*"\n`,
  );
  chmodSync(join(bin, 'ssh'), 0o755);
  const socket = daemon().host.slice('unix://'.length);
  const env = {
    ...contexts.environment(),
    PATH: `${bin}:${process.env['PATH']}`,
    DOCKER_HOST: `ssh://me@far:2222${socket}`,
  };
  const far = async (...words: readonly string[]) => must([contexts.ours, ...words], { env });
  assert.match(await far('version', '--format', '{{.Server.Os}}'), /^linux/);
  assert.equal(await far('run', '--rm', BUSYBOX, 'echo', 'hello'), 'hello\n');
  const cat = await run([contexts.ours, 'run', '--rm', '-i', BUSYBOX, 'cat'], { env, input: 'through' });
  assert.equal(cat.stdout, 'through');
  const built = await run([contexts.ours, 'build', '-q', '-'], { env, input: `FROM ${BUSYBOX}\nRUN true\n` });
  assert.match(built.stdout, /^sha256:/, built.stderr);
  const [first = ''] = readFileSync(join(bin, 'said'), 'utf8').split('\n');
  assert.match(first, /^-o ConnectTimeout=30 -T -l me -p 2222 -- far sh -c .*docker --host .*system dial-stdio/);
  const failing = await run([contexts.ours, 'ps'], { env: { ...env, DOCKER_HOST: 'ssh://me@far/nosuch.sock' } });
  assert.equal(failing.code, 1);
  assert.match(failing.stderr, /^error during connect: .*has exited with exit status 1.*nosuch\.sock/s);
});
