import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { must } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
});
after(() => daemon.dispose());

interface Usage {
  readonly LayersSize: number;
  readonly Containers: readonly { readonly SizeRw?: number }[] | null;
  readonly Volumes: readonly { readonly UsageData: { readonly Size: number } }[] | null;
}

async function diskUsage(): Promise<{
  readonly images: number;
  readonly containers: number;
  readonly volumes: number;
}> {
  const body = await new Promise<string>((resolve, reject) => {
    const asked = request({ socketPath: daemon.socketPath, path: '/v1.44/system/df' }, (response) => {
      text(response).then(resolve, reject);
    });
    asked.once('error', reject);
    asked.end();
  });
  const usage = JSON.parse(body) as Usage;
  const sum = (sizes: readonly number[]) => sizes.reduce((total, size) => total + size, 0);
  return {
    images: usage.LayersSize,
    containers: sum((usage.Containers ?? []).map(({ SizeRw }) => SizeRw ?? 0)),
    volumes: sum((usage.Volumes ?? []).map(({ UsageData }) => UsageData.Size)),
  };
}

/** Bytes on disk below the data root, as du(1) counts them. */
async function onDisk(...names: readonly string[]): Promise<number> {
  const paths = names.map((name) => join(daemon.dataRoot, name));
  const lines = (await must(['du', '-sxcB1', ...paths])).trim().split('\n');
  return Number.parseInt(lines.at(-1) ?? '', 10);
}

function assertNear(told: number, measured: number, what: string): void {
  assert.ok(Math.abs(told - measured) <= measured / 100, `${what}: df says ${told}, du says ${measured}`);
}

async function checkUsage(): Promise<void> {
  const told = await diskUsage();
  assertNear(told.images + told.containers, await onDisk('content', 'snapshots'), 'images and containers');
  assertNear(told.volumes, await onDisk('volumes'), 'volumes');
}

/** Removed trees are deleted in the background. */
async function trashIsEmpty(): Promise<void> {
  const trash = join(daemon.dataRoot, 'snapshots/trash');
  await eventually('what was removed is deleted', async () => readdirSync(trash).length === 0);
}

const random = (path: string, kilobytes: number) => `dd if=/dev/urandom of=${path} bs=1k count=${kilobytes} 2>&1`;

test('system df says what du says, with shared layers, written files, volumes and logs', async () => {
  // Three images on each other, and a name twice.
  const first = `${random('/one', 6000)}; for i in $(seq 500); do echo $i > /small$i; done`;
  await daemon.ok(
    'run',
    '--name',
    'first',
    '-v',
    'data:/data',
    BUSYBOX,
    'sh',
    '-c',
    `${first}; ${random('/data/x', 3000)}`,
  );
  await daemon.ok('commit', 'first', 'image:one');
  await daemon.ok('run', '--name', 'second', 'image:one', 'sh', '-c', `${random('/two', 4000)}; rm /one; seq 100000`);
  await daemon.ok('commit', 'second', 'image:two');
  await daemon.ok('tag', 'image:two', 'image:again');
  // Files that grow, shrink and have holes; one that is open and has no name any more is in nobody's count.
  const third = `${random('/three', 2000)}; truncate -s 1G /hole; truncate -s 1000 /small1; echo ready; sleep 100000`;
  await daemon.ok('run', '-d', '--name', 'third', '-v', '/anonymous', 'image:two', 'sh', '-c', third);
  await eventually('the files are written', async () => (await daemon.ok('logs', 'third')).includes('ready'));
  await must(['sync', '-f', daemon.dataRoot]);
  await checkUsage();

  // What df does not speak of: the containers' logs and files, and the daemon's own books.
  const { images, containers, volumes } = await diskUsage();
  const whole = await onDisk('.');
  const others = readdirSync(daemon.dataRoot).filter((name) => !['content', 'snapshots', 'volumes'].includes(name));
  const rest = await onDisk(...others);
  assertNear(images + containers + volumes + rest, whole, 'everything');

  // And when things have gone.
  await daemon.ok('rm', '-f', '-v', 'third', 'first');
  await daemon.ok('rmi', 'image:again');
  await trashIsEmpty();
  await must(['sync', '-f', daemon.dataRoot]);
  await checkUsage();
  await daemon.ok('rm', '-f', 'second');
  await daemon.ok('image', 'prune', '-af');
  await daemon.ok('volume', 'prune', '-af');
  await trashIsEmpty();
  assert.deepEqual(await diskUsage(), { images: 0, containers: 0, volumes: 0 });
  // Nothing but directories is left.
  const left = await onDisk('content', 'snapshots', 'volumes');
  assert.ok(left < 100_000, `${left} bytes are left`);
});
