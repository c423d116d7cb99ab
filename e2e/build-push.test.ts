import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { Buildx } from './lib/buildx.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile({ image: false });
const buildx = new Buildx(daemon);
let registry: TestRegistry;
before(async () => {
  await buildx.prepare();
  registry = await TestRegistry.start();
  const admin = (line: string, input = ''): void => {
    const args = ['registry', ...line.split(' '), '--root', registry.root, '--json'];
    assert.equal(spawnSync(join(ROOT, 'bin/wharf'), args, { input }).status, 0, line);
  };
  admin('users add ann --password-stdin', 'ann was here');
  admin('namespaces add team');
  admin('namespaces member team ann writer');
});
after(() => registry[Symbol.asyncDispose]());

const FILES = { Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY x /$TARGETARCH\n', x: 'x' };

test('a push needs the credentials of the client, and has those that the client has now', async () => {
  const name = `${registry.name}/team/app:1`;
  const both = ['--platform=linux/amd64,linux/arm64', '-t', name];
  const stranger = await buildx.try(FILES, ...both, '--push');
  assert.notEqual(stranger.code, 0);
  assert.match(
    stranger.output,
    /failed to push localhost:\d+\/team\/app:1:.*(denied|authorization failed|unauthorized)/,
  );
  buildx.logIn(registry.name, 'ann', 'wrong');
  const wrong = await buildx.try(FILES, ...both, '--push');
  assert.match(wrong.output, /failed to push .*(denied|authorization failed|unauthorized)/);
  buildx.logIn(registry.name, 'ann', 'ann was here');
  const pushed = await buildx.build(FILES, ...both, '--push');
  assert.match(pushed, /pushing localhost:\d+\/team\/app:1( [\d.]+s)? done/);
  // The base of a build is fetched with them, too, each platform's own.
  await daemon().ok('rmi', name);
  const files = { Dockerfile: `FROM ${name}\nARG TARGETARCH\nCOPY x /second\nLABEL of=$TARGETARCH\n`, x: '' };
  await buildx.build(files, ...both.slice(0, 1), '-t', 'second', '--pull');
  const label = await daemon().ok(
    'image',
    'inspect',
    '--platform',
    'linux/arm64',
    '-f',
    '{{.Config.Labels.of}}',
    'second',
  );
  assert.equal(label, 'arm64');
});

test('a cache in a private namespace is written and read with the credentials of the client', async () => {
  const reference = `${registry.name}/team/cache:1`;
  const from = ['--cache-from', `type=registry,ref=${reference}`];
  const to = ['--cache-to', `type=registry,ref=${reference}`];
  const files = { Dockerfile: 'FROM scratch\nCOPY x /cached\n', x: 'of the cache' };
  buildx.logIn(registry.name, 'ann', 'wrong');
  assert.notEqual((await buildx.try(files, ...to)).code, 0);
  buildx.logIn(registry.name, 'ann', 'ann was here');
  await buildx.build(files, ...to);
  await daemon().ok('builder', 'prune', '-af');
  assert.match(await buildx.build(files, ...from), /COPY x \/cached\n#\d+ CACHED/);
  await daemon().ok('builder', 'prune', '-af');
  buildx.logIn(registry.name, 'ann', 'wrong');
  const stranger = await buildx.build(files, ...from);
  assert.match(stranger, /importing cache manifest from \S+\n#\d+ ERROR: /);
  assert.doesNotMatch(stranger, /COPY x \/cached\n#\d+ CACHED/);
  buildx.logIn(registry.name, 'ann', 'ann was here');
});
