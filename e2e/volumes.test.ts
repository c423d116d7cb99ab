import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-volumes-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('a named volume outlives its containers', async () => {
  await daemon().ok('volume', 'create', '--label', 'a=b', 'kept');
  await daemon().ok('run', '--rm', '-v', 'kept:/data', BUSYBOX, 'sh', '-c', 'echo stays > /data/file');
  assert.equal(await daemon().ok('run', '--rm', '-v', 'kept:/data:ro', BUSYBOX, 'cat', '/data/file'), 'stays');
  assert.equal(await daemon().ok('volume', 'inspect', '-f', '{{.Driver}} {{index .Labels "a"}}', 'kept'), 'local b');
  await daemon().ok('volume', 'rm', 'kept');
});

test('a fresh volume is filled from the image', async () => {
  assert.match(await daemon().ok('run', '--rm', '-v', 'filled:/etc', BUSYBOX, 'cat', '/etc/passwd'), /^root:/);
});

test('an anonymous volume goes with --rm', async () => {
  const before = await daemon().ok('volume', 'ls', '-q');
  await daemon().ok('run', '--rm', '-v', '/anonymous', BUSYBOX, 'touch', '/anonymous/x');
  assert.equal(await daemon().ok('volume', 'ls', '-q'), before);
});

test('a volume in use is not removed', async () => {
  const name = uniqueName();
  await daemon().ok('create', '--name', name, '-v', 'busy:/data', BUSYBOX, 'true');
  assert.match((await daemon().docker(['volume', 'rm', 'busy'])).stderr, /volume is in use/);
  await daemon().ok('rm', name);
  await daemon().ok('volume', 'rm', 'busy');
});

test('-v binds a folder of the host, and makes it when it is missing', async () => {
  const path = join(scratch, 'bound');
  await daemon().ok('run', '--rm', '-v', `${path}:/host`, BUSYBOX, 'sh', '-c', 'echo x > /host/file');
  assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'x\n');
});

test('--mount refuses a bind source that is not there', async () => {
  const source = join(scratch, 'missing');
  const result = await daemon().docker(['run', '--rm', '--mount', `type=bind,src=${source},dst=/x`, BUSYBOX, 'true']);
  assert.match(result.stderr, /bind source path does not exist/);
  assert.ok(!existsSync(source));
});

test('a read-only bind cannot be written', async () => {
  mkdirSync(join(scratch, 'ro'), { recursive: true });
  writeFileSync(join(scratch, 'ro/file'), 'x');
  const result = await daemon().docker([
    'run',
    '--rm',
    '-v',
    `${join(scratch, 'ro')}:/ro:ro`,
    BUSYBOX,
    'touch',
    '/ro/y',
  ]);
  assert.match(result.stderr, /Read-only file system/);
});

test('a single file is bound, and can be read-only', async () => {
  const file = join(scratch, 'single');
  writeFileSync(file, 'one');
  const result = await daemon().docker([
    'run',
    '--rm',
    '-v',
    `${file}:/f:ro`,
    BUSYBOX,
    'sh',
    '-c',
    'cat /f; echo > /f',
  ]);
  assert.match(result.stdout, /^one/);
  assert.match(result.stderr, /Read-only file system/);
});

test('--mount type=image shows the files of another image', async () => {
  const files = [
    { path: 'sub', directory: true as const },
    { path: 'sub/file', content: 'from an image' },
  ];
  await loadBusybox(daemon().host, { reference: 'files:1', layers: [files] });
  const show = async (path: string, ...more: string[]) =>
    daemon().ok(
      'run',
      '--rm',
      '--mount',
      ['type=image,src=files:1,dst=/image', ...more].join(','),
      BUSYBOX,
      'cat',
      path,
    );
  assert.equal(await show('/image/sub/file'), 'from an image');
  assert.equal(await show('/image/file', 'image-subpath=sub'), 'from an image');
  assert.equal(await show('/image', 'image-subpath=sub/file'), 'from an image');
  const name = uniqueName();
  await daemon().ok('create', '--name', name, '--mount', 'type=image,src=files:1,dst=/image', BUSYBOX, 'true');
  assert.match((await daemon().docker(['rmi', 'files:1'])).stderr, /is using its referenced image/);
  await daemon().ok('rm', name);
  await daemon().ok('rmi', 'files:1');
});

test('--tmpfs and --shm-size mount memory', async () => {
  const out = await daemon().ok('run', '--rm', '--tmpfs', '/mem:size=1m', '--shm-size', '2m', BUSYBOX, 'mount');
  assert.match(out, /tmpfs on \/mem type tmpfs .*size=1024k/);
  assert.match(out, /on \/dev\/shm type tmpfs .*size=2048k/);
});

test('--volumes-from takes the volumes of another container', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, '-v', '/shared', BUSYBOX, 'sh', '-c', 'echo y > /shared/x');
  assert.equal(await daemon().ok('run', '--rm', '--volumes-from', name, BUSYBOX, 'cat', '/shared/x'), 'y');
});

test('docker volume prune removes anonymous volumes nobody uses', async () => {
  const id = await daemon().ok('create', '-v', '/gone', BUSYBOX, 'true');
  await daemon().ok('rm', id);
  const before = (await daemon().ok('volume', 'ls', '-q')).split('\n').length;
  assert.match(await daemon().ok('volume', 'prune', '-f'), /Deleted Volumes/);
  assert.ok((await daemon().ok('volume', 'ls', '-q')).split('\n').length < before);
});
