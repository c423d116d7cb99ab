import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, eventually, uniqueName } from './lib/suite.ts';
import { VolumePlugin } from './lib/volume-plugin.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-plugins-'));
const directory = join(scratch, 'plugins');
const plugin = new VolumePlugin({ name: 'shelf', directory, data: join(scratch, 'shelf') });
before(() => plugin.start());
const daemon = daemonForFile({ arguments: ['--plugin-dir', directory] });
after(async () => {
  await plugin.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const users = (volume: string) => plugin.mounted.get(volume)?.size ?? 0;

test('a volume of a plugin is made, used, shown and removed', async () => {
  await daemon().ok('volume', 'create', '-d', 'shelf', '-o', 'speed=fast', '--label', 'a=b', 'books');
  assert.deepEqual(plugin.options.get('books'), { speed: 'fast' });
  const shown = await daemon().ok(
    'volume',
    'inspect',
    '-f',
    '{{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Status.color}} {{.Labels.a}} {{.Options.speed}}',
    'books',
  );
  assert.equal(shown, `shelf global ${plugin.path('books')} green b fast`);
  await daemon().ok('run', '--rm', '-v', 'books:/data', BUSYBOX, 'sh', '-c', 'echo novel > /data/file');
  assert.equal(readFileSync(join(plugin.path('books'), 'file'), 'utf8'), 'novel\n');
  await eventually('the plugin is told that nobody uses it', async () => users('books') === 0);
  assert.match(await daemon().ok('volume', 'ls', '--filter', 'driver=shelf'), /shelf\s+books/);
  assert.equal(await daemon().ok('info', '-f', '{{.Plugins.Volume}}'), '[local shelf]');
  await daemon().ok('volume', 'rm', 'books');
  assert.ok(!existsSync(plugin.path('books')));
});

test('--volume-driver makes volumes at the plugin, and fills them from the image', async () => {
  const out = await daemon().ok(
    'run',
    '--rm',
    '--volume-driver',
    'shelf',
    '-v',
    'etc:/etc',
    BUSYBOX,
    'cat',
    '/etc/passwd',
  );
  assert.match(out, /^root:/);
  assert.match(readFileSync(join(plugin.path('etc'), 'passwd'), 'utf8'), /^root:/);
  await daemon().ok('volume', 'rm', 'etc');
});

test('each container is a user of its own, also over a crash of the daemon', async () => {
  const names = [uniqueName(), uniqueName()];
  for (const name of names)
    await daemon().ok(
      'run',
      '-d',
      '--name',
      name,
      '-v',
      'both:/d',
      '--volume-driver',
      'shelf',
      BUSYBOX,
      'sleep',
      '1000',
    );
  assert.equal(users('both'), 2);
  const source = await daemon().ok('inspect', '-f', '{{(index .Mounts 0).Source}}', names[0] ?? '');
  assert.equal(source, plugin.path('both'));
  assert.match((await daemon().docker(['volume', 'rm', 'both'])).stderr, /volume is in use/);
  await daemon().crash();
  await daemon().ok('rm', '-f', names[0] ?? '');
  await eventually('one is left', async () => users('both') === 1);
  await daemon().ok('rm', '-f', names[1] ?? '');
  await eventually('none is left', async () => users('both') === 0);
  await daemon().ok('volume', 'rm', 'both');
});

test('a volume that only the plugin knows of is found, used and removed', async () => {
  mkdirSync(plugin.path('foreign'));
  writeFileSync(join(plugin.path('foreign'), 'file'), 'here');
  assert.match(await daemon().ok('volume', 'ls'), /shelf\s+foreign/);
  assert.equal(await daemon().ok('volume', 'inspect', '-f', '{{.Driver}}', 'foreign'), 'shelf');
  assert.equal(await daemon().ok('run', '--rm', '-v', 'foreign:/d', BUSYBOX, 'cat', '/d/file'), 'here');
  await daemon().ok('volume', 'rm', 'foreign');
  assert.ok(!existsSync(plugin.path('foreign')));
});

test("a plugin's errors reach the client, and leave nothing", async () => {
  plugin.failure = { method: 'VolumeDriver.Create', text: 'shelf is full', status: 200 };
  const refused = await daemon().docker(['volume', 'create', '-d', 'shelf', 'more']);
  assert.match(refused.stderr, /create more: shelf is full/);
  plugin.failure = { method: 'VolumeDriver.Create', text: 'shelf broke', status: 500 };
  assert.match(
    (await daemon().docker(['volume', 'create', '-d', 'shelf', 'more'])).stderr,
    /create more: VolumeDriver.Create: shelf broke/,
  );
  plugin.failure = undefined;
  assert.doesNotMatch(await daemon().ok('volume', 'ls', '-q'), /more/);

  const name = uniqueName();
  await daemon().ok('create', '--name', name, '--volume-driver', 'shelf', '-v', 'stuck:/d', BUSYBOX, 'true');
  plugin.failure = { method: 'VolumeDriver.Mount', text: 'nobody at the desk', status: 200 };
  assert.match(
    (await daemon().docker(['start', name])).stderr,
    /error while mounting volume 'stuck': nobody at the desk/,
  );
  plugin.failure = undefined;
  await daemon().ok('start', name);
  await daemon().ok('rm', '-f', '-v', name);
  await daemon().ok('volume', 'rm', 'stuck');
});

test('a plugin that is not there, or gone, is said to be', async () => {
  const refused = await daemon().docker(['volume', 'create', '-d', 'nowhere', 'x1']);
  assert.match(refused.stderr, /create x1: error looking up volume plugin nowhere: plugin "nowhere" not found/);
  await daemon().ok('volume', 'create', '-d', 'shelf', 'left');
  await plugin.stop();
  assert.match((await daemon().docker(['volume', 'inspect', 'left'])).stderr, /plugin "shelf" not found/);
  assert.match(await daemon().ok('volume', 'ls'), /left/);
  await plugin.start();
  await daemon().ok('volume', 'rm', 'left');
});

test('plugins are found by .spec and .json files too', async () => {
  for (const [name, file] of [
    ['byspec', 'byspec.spec'],
    ['byjson', 'byjson.json'],
  ] as const) {
    const address = `unix://${join(directory, 'shelf.sock')}`;
    const content = file.endsWith('.json') ? JSON.stringify({ Name: name, Addr: address }) : `${address}\n`;
    writeFileSync(join(directory, file), content);
    await daemon().ok('volume', 'create', '-d', name, `of-${name}`);
    await daemon().ok('volume', 'rm', `of-${name}`);
    rmSync(join(directory, file));
  }
});
