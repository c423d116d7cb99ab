import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BUSYBOX, loadBusybox } from '../lib/images.ts';
import { eventually } from '../lib/suite.ts';
import { VirtualMachine } from './machine.ts';

// Debian's kernel keeps project quotas; those of test machines often do not.
let machine: VirtualMachine;
before(async () => {
  machine = await VirtualMachine.boot();
  await machine.ok('systemctl stop wharf; modprobe loop; modprobe quota_v2');
  await machine.ok('truncate -s 256M /disk.img && mkfs.ext4 -q -O quota,project -E quotatype=prjquota /disk.img');
  await machine.ok(
    'mkdir -p /var/lib/wharf && mount -o loop,prjquota /disk.img /var/lib/wharf && systemctl start wharf',
  );
  await eventually('the daemon answers', async () => (await machine.docker(['version'])).code === 0);
  await loadBusybox(machine.host);
});
after(() => machine[Symbol.asyncDispose]());

const write = (path: string, megabytes: number) => ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${megabytes}`];

test('size bounds a volume, each by itself', async () => {
  for (const [name, size] of [
    ['small', '4m'],
    ['large', '16m'],
  ] as const) {
    await machine.dockerOk('volume', 'create', '-o', `size=${size}`, name);
  }
  const fill = (name: string, megabytes: number) =>
    machine.docker(['run', '--rm', '--network', 'none', '-v', `${name}:/v`, BUSYBOX, ...write('/v/f', megabytes)]);
  assert.match((await fill('small', 8)).output, /quota exceeded|No space left/i);
  assert.equal((await fill('large', 8)).code, 0);
  assert.match((await fill('large', 20)).output, /quota exceeded|No space left/i);
  await machine.dockerOk('volume', 'rm', 'small', 'large');
});

test('--storage-opt size bounds what a container writes, and nothing else', async () => {
  const run = (...args: string[]) => machine.docker(['run', '--rm', '--network', 'none', ...args]);
  const bounded = ['--storage-opt', 'size=4m', '-v', '/free', BUSYBOX];
  assert.match((await run(...bounded, ...write('/f', 8))).output, /quota exceeded|No space left/i);
  assert.equal((await run(...bounded, ...write('/free/f', 8))).code, 0);
  // What is copied up from the image counts, and renames within the layer work.
  const moves = 'cp /bin/busybox /tmp2; mkdir /d; mv /tmp2 /d/x; mv /etc/passwd /d/y; cat /d/y';
  assert.match((await run(...bounded, 'sh', '-c', moves)).output, /^root:/);
});
