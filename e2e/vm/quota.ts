import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BUSYBOX, loadBusybox } from '../lib/images.ts';
import { serviceIsUp, type VirtualMachine } from './machine.ts';

let machine: VirtualMachine;

/** File systems with project quotas, which Debian's kernel keeps; those of test machines often do not. */
const FILE_SYSTEMS = [
  { name: 'ext4', make: 'mkfs.ext4 -q -O quota,project -E quotatype=prjquota', modules: 'loop quota_v2' },
  { name: 'xfs', make: 'mkfs.xfs -q -f', modules: 'loop xfs' },
] as const;

const write = (path: string, megabytes: number) => ['dd', 'if=/dev/zero', `of=${path}`, 'bs=1M', `count=${megabytes}`];

/** The data root on a file system with quotas; the machine has its own again afterwards. */
export function quotaTests(booted: () => VirtualMachine): void {
  for (const { name, make, modules } of FILE_SYSTEMS) {
    const disk = `/${name}.img`;
    suite(name, () => {
      before(async () => {
        machine = booted();
        await machine.ok(`systemctl stop wharf; modprobe -a ${modules}`);
        await machine.ok(`truncate -s 400M ${disk} && ${make} ${disk}`);
        await machine.ok(`mount -o loop,prjquota ${disk} /var/lib/wharf && systemctl start wharf`);
        await serviceIsUp(machine);
        await loadBusybox(machine.host);
      });
      after(() => machine.ok(`systemctl stop wharf; umount -l /var/lib/wharf; rm ${disk}; systemctl start wharf`));
      test('size bounds a volume, each by itself', sizeOfVolumes);
      test('--storage-opt size bounds what a container writes, and nothing else', sizeOfContainers);
    });
  }
}

async function sizeOfVolumes(): Promise<void> {
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
}

async function sizeOfContainers(): Promise<void> {
  const run = (...args: string[]) => machine.docker(['run', '--rm', '--network', 'none', ...args]);
  const bounded = ['--storage-opt', 'size=4m', '-v', '/free', BUSYBOX];
  assert.match((await run(...bounded, ...write('/f', 8))).output, /quota exceeded|No space left/i);
  assert.equal((await run(...bounded, ...write('/free/f', 8))).code, 0);
  // What is copied up from the image counts, and renames within the layer work.
  const moves = 'cp /bin/busybox /tmp2; mkdir /d; mv /tmp2 /d/x; mv /etc/passwd /d/y; cat /d/y';
  assert.match((await run(...bounded, 'sh', '-c', moves)).output, /^root:/);
}
