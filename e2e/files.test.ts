import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-files-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function sleeper(): Promise<string> {
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '100000');
  return name;
}

test('docker cp carries a tree in and out, running or stopped', async () => {
  const source = join(scratch, 'tree');
  mkdirSync(join(source, 'deep/er'), { recursive: true });
  writeFileSync(join(source, 'deep/er/file'), 'content', { mode: 0o640 });
  symlinkSync('deep/er/file', join(source, 'link'));
  const name = await sleeper();
  await daemon().ok('cp', source, `${name}:/copied`);
  assert.equal(
    await daemon().ok('exec', name, 'sh', '-c', 'cat /copied/link; stat -c %a /copied/deep/er/file'),
    'content640',
  );
  await daemon().ok('stop', '-t', '0', name);
  const back = join(scratch, 'back');
  await daemon().ok('cp', `${name}:/copied`, back);
  assert.equal(readFileSync(join(back, 'link'), 'utf8'), 'content');
  assert.equal(statSync(join(back, 'deep/er/file')).mode & 0o777, 0o640);
});

test('docker cp follows no link out of the container', async () => {
  const name = await sleeper();
  await daemon().ok('exec', name, 'ln', '-s', '/etc/hostname-of-host', '/trap');
  await daemon().ok('exec', name, 'ln', '-s', '../../../../../../../..', '/up');
  const result = await daemon().docker(['cp', '-L', `${name}:/up/root/.bashrc`, join(scratch, 'stolen')]);
  assert.notEqual(result.code, 0);
});

test('docker cp - speaks tar on stdin and stdout', async () => {
  const name = await sleeper();
  writeFileSync(join(scratch, 'one'), '1');
  const archive = await must(['tar', '-cC', scratch, 'one']);
  const result = await daemon().docker(['cp', '-', `${name}:/tmp`], { input: Buffer.from(archive, 'latin1') });
  assert.equal(result.code, 0, result.output);
  assert.equal(await daemon().ok('exec', name, 'cat', '/tmp/one'), '1');
});

test('docker diff lists what was added, changed and deleted', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, BUSYBOX, 'sh', '-c', 'echo x > /new; echo y >> /etc/group; rm /etc/passwd');
  const lines = (await daemon().ok('diff', name)).split('\n').sort();
  assert.deepEqual(lines, ['A /new', 'C /etc', 'C /etc/group', 'D /etc/passwd']);
});

test('docker commit makes an image of the changes', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, BUSYBOX, 'sh', '-c', 'echo kept > /kept; rm /etc/group');
  await daemon().ok('commit', '-m', 'a message', '-c', 'CMD ["cat","/kept"]', name, 'committed:one');
  assert.equal(await daemon().ok('run', '--rm', 'committed:one'), 'kept');
  const result = await daemon().docker(['run', '--rm', 'committed:one', 'cat', '/etc/group']);
  assert.match(result.stderr, /No such file/);
  assert.match(await daemon().ok('history', '--no-trunc', 'committed:one'), /a message/);
});

test('docker export and import keep the files', async () => {
  const name = uniqueName();
  await daemon().ok('run', '--name', name, BUSYBOX, 'sh', '-c', 'echo exported > /x');
  const path = join(scratch, 'export.tar');
  await daemon().ok('export', '-o', path, name);
  await daemon().ok('import', '-c', 'CMD ["cat","/x"]', path, 'imported:one');
  assert.equal(await daemon().ok('run', '--rm', 'imported:one'), 'exported');
});

test('docker save and load give the same image back', async () => {
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', BUSYBOX);
  await daemon().ok('tag', BUSYBOX, 'saved:one');
  const path = join(scratch, 'save.tar');
  await daemon().ok('save', '-o', path, 'saved:one');
  await daemon().ok('rmi', 'saved:one');
  assert.match(await daemon().ok('load', '-i', path), /Loaded image: saved:one/);
  assert.equal(await daemon().ok('inspect', '-f', '{{.Id}}', 'saved:one'), id);
});

test('skopeo reads what docker save wrote', async () => {
  const path = join(scratch, 'skopeo.tar');
  await daemon().ok('save', '-o', path, BUSYBOX);
  const shown = JSON.parse(await must(['skopeo', 'inspect', `docker-archive:${path}`])) as {
    readonly Layers: readonly string[];
  };
  assert.equal(shown.Layers.length, 1);
});

test('docker images, tag and rmi keep the books', async () => {
  await daemon().ok('tag', BUSYBOX, 'books:one');
  await daemon().ok('tag', BUSYBOX, 'books:two');
  const names = async () =>
    (await daemon().ok('images', '--format', '{{.Repository}}:{{.Tag}}', 'books')).split('\n').sort();
  assert.deepEqual(await names(), ['books:one', 'books:two']);
  assert.match(await daemon().ok('rmi', 'books:one'), /Untagged: books:one/);
  assert.deepEqual(await names(), ['books:two']);
  await daemon().ok('rmi', 'books:two');
});

test('docker rmi refuses an image that a running container uses, also by force', async () => {
  await loadBusybox(daemon().host, { reference: 'used:one', layers: [[{ path: 'used', content: 'x' }]] });
  await daemon().ok('run', '-d', 'used:one', 'sleep', '100000');
  const refused = await daemon().docker(['rmi', 'used:one']);
  assert.notEqual(refused.code, 0);
  assert.match(
    refused.stderr,
    /conflict: unable to delete used:one \(must be forced\) - container [0-9a-f]+ is using its referenced image/,
  );
  const id = await daemon().ok('inspect', '-f', '{{.Id}}', 'used:one');
  const forced = await daemon().docker(['rmi', '-f', id]);
  assert.match(
    forced.stderr,
    /conflict: unable to delete [0-9a-f]+ \(cannot be forced\) - image is being used by running container/,
  );
});

test('docker load of a broken archive says so and leaves nothing', async () => {
  const path = join(scratch, 'save.tar');
  const before = await daemon().ok('images', '-aq');
  const result = await daemon().docker(['load'], { input: readFileSync(path).subarray(0, 700_000) });
  assert.notEqual(result.code, 0, result.output);
  assert.equal(await daemon().ok('images', '-aq'), before);
});
