import assert from 'node:assert/strict';
import { mkdirSync, statfsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';
import { must, run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { docker } from './lib/docker.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

const MEGABYTE = 1024 * 1024;
const daemon = new TestDaemon({});

before(async () => {
  mkdirSync(daemon.dataRoot);
  await must(['mount', '-t', 'tmpfs', '-o', 'size=160m', 'tmpfs', daemon.dataRoot]);
  await daemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'writer', BUSYBOX, 'sleep', '100000');
});

after(async () => {
  try {
    await daemon.removeContainers();
    await daemon.stop();
    await must(['umount', daemon.dataRoot]);
  } finally {
    await run(['umount', '-ql', daemon.dataRoot]);
    await daemon.dispose();
  }
});

function usedBytes(): number {
  const { blocks, bfree, bsize } = statfsSync(daemon.dataRoot);
  return (blocks - bfree) * bsize;
}

/** Runs what must fail for want of room, in words, and gives back what it took. */
async function failsAndGivesBack(what: string, work: () => Promise<{ code: number; output: string }>): Promise<void> {
  const before = usedBytes();
  const { code, output } = await work();
  assert.notEqual(code, 0, what);
  assert.match(output, /no space left on device/, what);
  await eventually(`${what} gives the space back`, async () => usedBytes() - before < 0.5 * MEGABYTE);
  assert.equal(await daemon.ok('exec', 'writer', 'echo', 'alive'), 'alive');
}

/** An archive with one file of zeros. */
function archive(name: string, sizeBytes: number): Buffer {
  const header = encodeTarHeader({ name, type: 'file', mode: 0o644, sizeBytes });
  return Buffer.concat([header, Buffer.alloc(sizeBytes), tarPadding(sizeBytes), TAR_END]);
}

test('a full disk ends load, import, commit and cp in words, and gives their space back', async () => {
  const big = archive('big', 200 * MEGABYTE);
  await failsAndGivesBack('import', () => docker(daemon.host, ['import', '-', 'big:1'], { input: big }));
  await failsAndGivesBack('cp', () => docker(daemon.host, ['cp', '-', 'writer:/'], { input: big }));
  await failsAndGivesBack('load', async () => {
    const layers = [[{ path: 'big', content: Buffer.alloc(90 * MEGABYTE) }]];
    // As the helper expects it to succeed, its error is what is looked at.
    return loadBusybox(daemon.host, { reference: 'big:1', layers }).then(
      () => ({ code: 0, output: '' }),
      (error: unknown) => ({ code: 1, output: String(error) }),
    );
  });
  assert.doesNotMatch(await daemon.ok('images'), /big/);
  await daemon.ok('exec', 'writer', 'dd', 'if=/dev/zero', 'of=/most', 'bs=1M', 'count=90');
  await failsAndGivesBack('commit', () => daemon.docker(['commit', 'writer', 'big:1']));
  await daemon.ok('exec', 'writer', 'rm', '/most');
});

test('a full disk while a volume is filled: no container, and a volume that is filled anew when there is room', async () => {
  const layers = [[{ path: 'seed/big', content: Buffer.alloc(30 * MEGABYTE, 'x') }]];
  await loadBusybox(daemon.host, { reference: 'seeded:1', layers });
  await daemon.ok('volume', 'create', 'filled');
  const { bavail, bsize } = statfsSync(daemon.dataRoot);
  const most = Math.floor((bavail * bsize) / MEGABYTE) - 12;
  await daemon.ok('exec', 'writer', 'dd', 'if=/dev/zero', 'of=/most', 'bs=1M', `count=${most}`);
  await failsAndGivesBack('copy-up', () => daemon.docker(['run', '--rm', '-v', 'filled:/seed', 'seeded:1', 'true']));
  assert.equal(await daemon.ok('ps', '-aq', '--filter', 'ancestor=seeded:1'), '');
  // Nothing half of it is to be seen.
  assert.equal(await daemon.ok('run', '--rm', '-v', 'filled:/v', BUSYBOX, 'ls', '/v'), '');
  await daemon.ok('exec', 'writer', 'rm', '/most');
  const size = ['stat', '-c', '%s', '/seed/big'];
  assert.equal(await daemon.ok('run', '--rm', '-v', 'filled:/seed', 'seeded:1', ...size), String(30 * MEGABYTE));
  await daemon.ok('volume', 'rm', 'filled');
  await daemon.ok('rmi', 'seeded:1');
});

test('a container fills the disk: the daemon stays, starts again after a crash, and all is well with room', async () => {
  const fill = () => daemon.docker(['exec', 'writer', 'sh', '-c', 'dd if=/dev/zero of=/full$$ bs=4k count=100000']);
  assert.match((await fill()).output, /No space left on device/);
  assert.match((await daemon.docker(['create', BUSYBOX])).output, /no space left on device|disk is full/i);
  for (let time = 1; time <= 2; time++) {
    await daemon.crash();
    assert.equal(await daemon.ok('ps', '--format', '{{.Names}} {{.State}}'), 'writer running');
    await fill();
  }
  await daemon.ok('exec', 'writer', 'sh', '-c', 'rm /full*');
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'echo', 'room'), 'room');
});
