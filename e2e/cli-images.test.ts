import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { run } from '../scripts/lib/run.ts';
import { bothClients } from './lib/both-clients.ts';
import { BUSYBOX } from './lib/images.ts';
import { TestRegistry } from './lib/registry.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();
let registry: TestRegistry;
before(async () => {
  registry = await TestRegistry.start();
});
after(() => registry[Symbol.asyncDispose]());

const clients = bothClients(
  () => daemon().host,
  () => ({ REGISTRY: registry.name, PLACE: join(clients.folder, 'place') }),
);

test('pull, push, tag, rmi, save, load, import, clean-ups and what the daemon says of itself are those of docker', async () => {
  await clients.compareInTurn('registry-images');
});

test('lists of manifests are made, annotated, shown and pushed as by docker', async () => {
  await clients.compareInTurn('manifests');
});

test('a pull on a terminal is one line, and wharf df says what can be freed', async () => {
  const name = `${registry.name}/shown:1`;
  await daemon().ok('tag', BUSYBOX, name);
  await daemon().ok('push', '-q', name);
  const env = { ...clients.environment(), COLUMNS: undefined, TERM: 'xterm' };
  const onTerminal = (line: string) => run(['script', '-qec', `'${clients.ours}' ${line}`, '/dev/null'], { env });
  const { stdout } = await onTerminal(`pull ${name}`);
  const last = stdout.split('\n').map((line) => line.split('\r').at(-2) ?? line);
  assert.ok(
    last.some((line) => new RegExp(`✔ ${name}  .*(layer|up to date)`).test(line)),
    stdout,
  );
  assert.doesNotMatch(stdout, /Pulling fs layer/);
  const df = await run([clients.ours, 'df'], { env });
  assert.match(df.stdout, /What can be freed:\n +≥\S+ +\d images? that no container uses/);
  assert.match(df.stdout, /wharf image prune --all/);
});

test('signatures that cannot be checked are refused', async () => {
  const { code, stderr } = await run([clients.ours, 'pull', '--disable-content-trust=false', 'x'], {
    env: clients.environment(),
  });
  assert.equal(code, 1);
  assert.match(stderr, /Docker Content Trust is not supported/);
});
