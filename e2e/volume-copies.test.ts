import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { HttpClient } from '@wharf/wire/http/client';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const client = () => new HttpClient(daemon().host);
const post = (path: string, body?: Uint8Array) =>
  client().request({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/x-tar' },
    ...(body ? { body } : {}),
  });
const inVolume = (name: string, script: string) =>
  daemon().ok('run', '--rm', '--network', 'none', '-v', `${name}:/v`, BUSYBOX, 'sh', '-c', script);
const LOOK = 'cd /v; stat -c "%u:%g %a %h %n" . file again sub; readlink link; cat sub/deep';

async function fill(name: string): Promise<string> {
  await inVolume(
    name,
    'cd /v; echo one > file; chown 5:6 file; chmod 4711 file; ln file again; ln -s /etc/passwd link; mkdir sub; echo two > sub/deep; chown 7:8 .; chmod 1770 .',
  );
  return inVolume(name, LOOK);
}

test('a volume is exported, and imported elsewhere as it was', async () => {
  const look = await fill('original');
  const archive = await buffer(await client().stream({ path: '/wharf/volumes/original/export' }));
  const made = await post('/wharf/volumes/restored/import', archive);
  assert.equal(made.status, 201, made.text);
  assert.equal(await inVolume('restored', LOOK), look);
  const again = await post('/wharf/volumes/restored/import', archive);
  assert.equal(again.status, 409);
  assert.match(again.text, /there is something in it/);
  const broken = await post('/wharf/volumes/broken/import', archive.subarray(0, 700));
  assert.ok(broken.status >= 400, broken.text);
  assert.doesNotMatch(await daemon().ok('volume', 'ls', '-q'), /broken/);
});

test('a volume is copied, also while it is in use', async () => {
  const look = await fill('copied');
  const name = uniqueName();
  await daemon().ok('run', '-d', '--name', name, '-v', 'copied:/v', BUSYBOX, 'sleep', '1000');
  assert.equal((await post('/wharf/volumes/copied/clone?name=twin')).status, 201);
  assert.equal(await inVolume('twin', LOOK), look);
  assert.equal((await post('/wharf/volumes/copied/clone?name=twin')).status, 409);
  assert.equal((await post('/wharf/volumes/missing/clone?name=other')).status, 404);
  await daemon().ok('rm', '-f', name);
});

test('a volume gets another name once no container has it', async () => {
  await daemon().ok('volume', 'create', '--label', 'a=b', 'before');
  await inVolume('before', 'echo x > /v/file');
  const name = uniqueName();
  await daemon().ok('create', '--name', name, '-v', 'before:/v', BUSYBOX, 'true');
  const refused = await post('/wharf/volumes/before/rename?name=after');
  assert.equal(refused.status, 409);
  assert.match(refused.text, /volume is in use/);
  await daemon().ok('rm', name);
  assert.equal((await post('/wharf/volumes/before/rename?name=twin')).status, 409, 'taken');
  assert.equal((await post('/wharf/volumes/before/rename?name=after')).status, 200);
  await daemon().crash();
  assert.equal(await daemon().ok('volume', 'inspect', '-f', '{{.Labels.a}}', 'after'), 'b');
  assert.equal(await inVolume('after', 'cat /v/file'), 'x');
  assert.doesNotMatch(await daemon().ok('volume', 'ls', '-q'), /before/);
});
