import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ContainerId, hasErrno, newId, nullLogger, parseReference, systemClock } from '@wharf/kit';
import { isMountPoint } from '@wharf/linux/mount';
import { buildTar } from '@wharf/oci/tar/build';
import type { HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { createEventBus } from '../events/events.ts';
import { openRoom } from '../images/test-room.ts';
import { createVolumeService } from './volumes.ts';

test('an image mount shows the image read-only, and keeps it until the container is gone', async () => {
  await using room = await openRoom();
  const archive = buildTar([
    { name: 'sub/', type: 'directory' },
    { name: 'sub/file', type: 'file', content: 'hello' },
    { name: 'out', type: 'symlink', linkName: '/etc' },
  ]);
  await room.images.import({
    source: (async function* () {
      yield archive;
    })(),
    reference: parseReference('files:1'),
    message: '',
    changes: [],
  });
  const volumes = await createVolumeService({
    store: room.store,
    dataRoot: room.root,
    events: createEventBus({ clock: systemClock, log: nullLogger }),
    log: nullLogger,
    clock: systemClock,
    imageMounts: room,
  });
  const create = async (hostConfig: HostConfig, donor?: ContainerRecord) => {
    const id = newId() as ContainerId;
    const lookUp = () => donor ?? assert.fail('no other container');
    const mounts = await volumes.plan({ containerId: id, hostConfig, imageVolumes: [], lookUp });
    const record = { id, hostConfig, mounts, state: { pid: 0 } } as unknown as ContainerRecord;
    await volumes.acquire(record);
    return record;
  };
  const mount = (Subpath: string, Target: string) => ({
    ...{ Type: 'image', Source: 'files:1', Target },
    ImageOptions: { Subpath },
  });
  const first = await create({ Mounts: [mount('', '/x'), mount('sub/file', '/y')] });
  assert.deepEqual(first.mounts[0], {
    Type: 'image',
    Name: 'files:1',
    Source: first.mounts[0]?.Source,
    Destination: '/x',
    Mode: '',
    RW: false,
    Propagation: 'rprivate',
  });
  const { id } = await room.images.resolve('files:1');
  assert.deepEqual(
    volumes.imageUses().map(({ containerId, image }) => [containerId, image.id]),
    [
      [first.id, id],
      [first.id, id],
    ],
  );
  const second = await create({ VolumesFrom: [first.id] }, first);
  await room.images.remove('files:1', { force: true, pruneParents: true });
  const [whole, file] = await volumes.runtimeMounts(first);
  assert.ok(whole !== undefined && file !== undefined);
  assert.equal(whole.source, first.mounts[0]?.Source);
  assert.equal(readFileSync(join(whole.source, 'sub/file'), 'utf8'), 'hello');
  assert.throws(
    () => writeFileSync(join(whole.source, 'sub/file'), ''),
    (error) => hasErrno(error, 'EROFS'),
  );
  assert.equal(readFileSync(file.source, 'utf8'), 'hello');
  await volumes.release(first, { removeAnonymous: false });
  assert.ok(!existsSync(whole.source));
  const [shared] = await volumes.runtimeMounts(second);
  assert.equal(readFileSync(join(shared?.source ?? '', 'sub/file'), 'utf8'), 'hello');
  await volumes.unmount(second);
  assert.ok(!isMountPoint(shared?.source ?? ''));
  await volumes.restore([]);
  await room.images.collect();
  assert.deepEqual(room.snapshots.list(), []);
  volumes.close();
});

test('plan() refuses a missing image', async () => {
  await using room = await openRoom();
  const volumes = await createVolumeService({
    store: room.store,
    dataRoot: room.root,
    events: createEventBus({ clock: systemClock, log: nullLogger }),
    log: nullLogger,
    clock: systemClock,
    imageMounts: room,
  });
  const hostConfig = { Mounts: [{ Type: 'image', Source: 'none', Target: '/x' }] };
  const lookUp = () => assert.fail('no other container');
  const plan = volumes.plan({ containerId: newId() as ContainerId, hostConfig, imageVolumes: [], lookUp });
  await assert.rejects(plan, /No such image: none:latest/);
  volumes.close();
});
