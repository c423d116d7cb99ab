import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HttpClient } from '@wharf/wire/http/client';
import { must, run } from '../scripts/lib/run.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-options-'));
const mounted: string[] = [];
after(async () => {
  for (const path of mounted.reverse()) await run(['umount', '-l', path]);
  rmSync(scratch, { recursive: true, force: true });
});

const volume = (name: string, ...options: string[]) =>
  daemon().docker(['volume', 'create', ...options.flatMap((option) => ['-o', option]), name]);
const inVolume = (name: string, script: string) =>
  daemon().docker(['run', '--rm', '-v', `${name}:/v`, BUSYBOX, 'sh', '-c', script]);

test('a volume can be a bind, a tmpfs or a disk image', async () => {
  const there = join(scratch, 'bound');
  mkdirSync(there);
  await volume('bound', 'type=none', 'o=bind', `device=${there}`);
  await inVolume('bound', 'echo x > /v/file');
  assert.equal(readFileSync(join(there, 'file'), 'utf8'), 'x\n');
  await daemon().ok('volume', 'rm', 'bound');
  assert.ok(existsSync(join(there, 'file')), 'the data stays');

  await volume('memory', 'type=tmpfs', 'device=tmpfs', 'o=size=2m,uid=7,noexec');
  const { stdout } = await inVolume('memory', 'stat -c %u /v; mount | grep " /v "');
  assert.match(stdout, /^7\n.*tmpfs.*noexec.*size=2048k/);

  const image = join(scratch, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 16 * 1024 * 1024);
  await must(['mkfs.ext4', '-q', image]);
  await volume('disk', 'type=ext4', `device=${image}`, 'o=noatime');
  await inVolume('disk', 'echo kept > /v/file');
  assert.match((await inVolume('disk', 'cat /v/file; mount | grep " /v "')).stdout, /^kept\n.*ext4.*noatime/);
  assert.match((await inVolume('disk', 'dd if=/dev/zero of=/v/big bs=1M count=40')).output, /No space left/);
  assert.equal(await must(['losetup', '-j', image]), '', 'nobody holds the image once nobody uses it');
  for (const name of ['memory', 'disk']) await daemon().ok('volume', 'rm', name);
});

test('a volume from the network says why it is not there', async () => {
  // Something that listens and hangs up: whatever the kernel thinks of it, it is no server.
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const { port } = server.address() as { readonly port: number };
  await volume(
    'remote',
    'type=nfs',
    `o=addr=localhost,port=${port},soft,retrans=0,timeo=1,nolock,tcp,vers=3`,
    'device=:/export',
  );
  const refused = await inVolume('remote', 'true');
  assert.notEqual(refused.code, 0);
  assert.match(
    refused.output,
    /error while mounting volume '.*\/remote\/_data': failed to mount local volume: .*mount/,
  );
  await volume('unknown', 'type=nfs', 'o=addr=no.such.host.invalid', 'device=:/export');
  assert.match((await inVolume('unknown', 'true')).output, /failed to mount local volume: .*no\.such\.host\.invalid/);
  await volume('share', 'type=cifs', 'o=addr=127.0.0.1,username=me,password=hunter2', 'device=//127.0.0.1/x');
  const { output } = await inVolume('share', 'true');
  assert.match(output, /failed to mount local volume/);
  assert.doesNotMatch(output, /hunter2/);
  server.close();
  for (const name of ['remote', 'unknown', 'share']) await daemon().ok('volume', 'rm', name);
});

test('a size is refused where no project quotas are kept, and nothing is left', async () => {
  // This data root lies on a filesystem without them, or the test of quotas in a machine of its own would be here.
  const made = await volume('bounded', 'size=10m');
  if (made.code === 0) {
    assert.match((await inVolume('bounded', 'dd if=/dev/zero of=/v/big bs=1M count=40')).output, /quota|No space/i);
    return;
  }
  assert.match(made.stderr, /create bounded: quota size requested but no quota support/);
  assert.match((await volume('bounded', 'size=lots')).stderr, /invalid size: 'lots'/);
  assert.equal(await daemon().ok('volume', 'ls', '-q', '--filter', 'name=bounded'), '');
  const root = await daemon().docker(['run', '--rm', '--storage-opt', 'size=10m', BUSYBOX, 'true']);
  assert.match(root.stderr, /--storage-opt/);
  assert.equal(await daemon().ok('ps', '-aq'), '');
});

test('driver options are checked in the words of Docker', async () => {
  assert.match((await volume('x1', 'color=red')).stderr, /create x1: invalid option: "color"/);
  assert.match((await volume('x1', 'type=tmpfs')).stderr, /create x1: missing required option: "device"/);
  assert.match((await volume('x1', 'o=bind', 'device=/x')).stderr, /missing required option: "type"/);
});

test('read-only reaches the mounts below, or does not, as asked', async () => {
  const top = join(scratch, 'top');
  const below = join(top, 'below');
  mkdirSync(below, { recursive: true });
  await must(['mount', '-t', 'tmpfs', 'below', below]);
  mounted.push(below);
  const touch = async (options: string, script: string) =>
    (
      await daemon().docker([
        'run',
        '--rm',
        '--mount',
        `type=bind,src=${top},dst=/m${options}`,
        BUSYBOX,
        'sh',
        '-c',
        script,
      ])
    ).code;
  const script = 'touch /m/x 2>/dev/null && exit 3; touch /m/below/x';
  assert.notEqual(await touch(',readonly', script), 0);
  assert.equal(await touch(',readonly,bind-recursive=writable', script), 0);
  assert.notEqual(await touch(',readonly,bind-propagation=rprivate,bind-recursive=readonly', script), 0);
  assert.equal(await touch(',bind-recursive=disabled', 'test ! -e /m/below/x'), 0);
});

test('a bind is no freer than the mount it comes from', async () => {
  const strict = join(scratch, 'strict');
  mkdirSync(strict);
  await must(['mount', '-t', 'tmpfs', '-o', 'nosuid,nodev,noexec', 'strict', strict]);
  mounted.push(strict);
  await must(['mount', '-o', 'remount,bind,ro', strict]);
  const seen = async (...args: string[]) =>
    (await daemon().docker(['run', '--rm', ...args, BUSYBOX, 'sh', '-c', 'grep " /m " /proc/mounts; touch /m/x']))
      .output;
  for (const runtime of ['crun', 'runc']) {
    const output = await seen('--runtime', runtime, '-v', `${strict}:/m`);
    assert.match(output, /tmpfs ro,nosuid,nodev,noexec/, runtime);
    assert.match(output, /Read-only file system/, runtime);
  }
});

test('propagation goes the ways asked for', async () => {
  const shared = join(scratch, 'shared');
  mkdirSync(shared);
  await must(['mount', '-t', 'tmpfs', 'shared', shared]);
  mounted.push(shared);
  await must(['mount', '--make-shared', shared]);
  const name = uniqueName();
  const bind = (kind: string) => `${shared}:/${kind}:${kind}`;
  await daemon().ok(
    'run',
    '-d',
    '--name',
    name,
    '-v',
    bind('rslave'),
    '-v',
    bind('rprivate'),
    BUSYBOX,
    'sleep',
    '1000',
  );
  mkdirSync(join(shared, 'later'));
  await must(['mount', '-t', 'tmpfs', 'later', join(shared, 'later')]);
  writeFileSync(join(shared, 'later/file'), 'x');
  assert.equal(
    await daemon().ok('exec', name, 'sh', '-c', 'ls /rslave/later /rprivate/later'),
    '/rprivate/later:\n\n/rslave/later:\nfile',
  );
  await daemon().ok('rm', '-f', name);
  await must(['umount', join(shared, 'later')]);
});

test('copy-up keeps owner, mode and attributes; nocopy and a volume in use copy nothing', async () => {
  const files = [
    { path: 'seed', directory: true as const, mode: 0o2750, uid: 12, gid: 34 },
    { path: 'seed/file', content: 'x', mode: 0o4711, uid: 56, gid: 78 },
  ];
  await loadBusybox(daemon().host, { reference: 'seeded:1', layers: [files] });
  const look = ['sh', '-c', 'stat -c "%u:%g %a %n" /seed /seed/file'];
  const plain = await daemon().ok('run', '--rm', 'seeded:1', ...look);
  assert.equal(await daemon().ok('run', '--rm', '-v', 'seeded:/seed', 'seeded:1', ...look), plain);
  assert.equal(await daemon().ok('run', '--rm', '-v', 'bare:/seed:nocopy', 'seeded:1', 'ls', '/seed'), '');
  for (const name of ['seeded', 'bare']) await daemon().ok('volume', 'rm', name);
});

test('volume update is refused as without a swarm, and an unknown filter is named', async () => {
  await daemon().ok('volume', 'create', 'plain');
  const client = new HttpClient(daemon().host);
  const { status, text } = await client.request({ method: 'PUT', path: '/volumes/plain?version=1', body: {} });
  assert.equal(status, 503, text);
  assert.match(text, /volume update only valid for cluster volumes/);
  assert.match((await daemon().docker(['volume', 'ls', '-f', 'color=red'])).stderr, /invalid filter 'color'/);
  for (const filter of ['name=pla', 'driver=local', 'dangling=true']) {
    assert.match(await daemon().ok('volume', 'ls', '-q', '-f', filter), /plain/, filter);
  }
  assert.equal(await daemon().ok('volume', 'ls', '-q', '-f', 'label=x'), '');
  await daemon().ok('volume', 'rm', 'plain');
  assert.deepEqual(readdirSync(scratch).includes('plain'), false);
});
