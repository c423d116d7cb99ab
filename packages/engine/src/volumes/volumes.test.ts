import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ContainerId } from '@wharf/kit';
import { isKind, newId, nullLogger, systemClock } from '@wharf/kit';
import { openMemoryStore, openStore, type Store } from '@wharf/store';
import type { HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { createEventBus } from '../events/events.ts';
import { createVolumeService, type Volumes } from './volumes.ts';

const root = mkdtempSync(join(tmpdir(), 'wharf-volumes-'));
after(() => rmSync(root, { recursive: true, force: true }));
const filters = (map: Record<string, readonly string[]> = {}) => new Map(Object.entries(map));

async function room(options: { dataRoot?: string; store?: Store } = {}) {
  const dataRoot = options.dataRoot ?? mkdtempSync(join(root, 'data-'));
  const events = createEventBus({ clock: systemClock, log: nullLogger });
  const seen: string[] = [];
  events.listen(({ type, action, actorId }) => seen.push(`${type} ${action} ${actorId}`));
  const store = options.store ?? openMemoryStore();
  const volumes = await createVolumeService({ store, dataRoot, events, log: nullLogger, clock: systemClock });
  return { volumes, dataRoot, seen };
}

// The parts of a record that volumes look at.
const record = (id: string, hostConfig: HostConfig, mounts: ContainerRecord['mounts']) =>
  ({ id, hostConfig, mounts, state: { pid: 0 } }) as unknown as ContainerRecord;

async function container(
  volumes: Volumes,
  hostConfig: HostConfig,
  options: { images?: string[]; others?: ContainerRecord[] } = {},
) {
  const id = newId() as ContainerId;
  const lookUp = (name: string) => {
    const found = options.others?.find((other) => other.id === name);
    assert.ok(found);
    return found;
  };
  const mounts = await volumes.plan({ containerId: id, hostConfig, imageVolumes: options.images ?? [], lookUp });
  const made = record(id, hostConfig, mounts);
  await volumes.acquire(made);
  return made;
}

test('create() makes a volume once, inspect() and list() show it', async () => {
  const { volumes, dataRoot, seen } = await room();
  const made = await volumes.create({ name: 'data', labels: { tier: 'db' } });
  assert.equal(made.Mountpoint, join(dataRoot, 'volumes/data/_data'));
  assert.match(made.CreatedAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(existsSync(made.Mountpoint));
  assert.deepEqual(await volumes.create({ name: 'data', labels: { other: 'x' } }), made);
  assert.deepEqual(volumes.inspect('data'), made);
  assert.deepEqual(seen, ['volume create data']);
  const anonymous = await volumes.create({});
  assert.match(anonymous.Name, /^[0-9a-f]{64}$/);
  assert.deepEqual(anonymous.Labels, { 'com.docker.volume.anonymous': '' });
  const names = (map: Record<string, readonly string[]>) => volumes.list(filters(map)).map(({ Name }) => Name);
  assert.deepEqual(names({ label: ['tier=db'] }), ['data']);
  assert.deepEqual(names({ name: ['dat'] }), ['data']);
  assert.equal(names({ dangling: ['true'] }).length, 2);
  assert.deepEqual(names({ dangling: ['false'] }), []);
  assert.deepEqual(names({ driver: ['nope'] }), []);
  assert.throws(() => volumes.list(filters({ bogus: ['1'] })), /^WharfError: invalid filter 'bogus'$/);
  assert.throws(
    () => volumes.inspect('nope'),
    (error) => isKind(error, 'not-found') && error.message === 'get nope: no such volume',
  );
  await assert.rejects(volumes.create({ name: 'odd', driver: 'rexray' }), (error) => isKind(error, 'not-found'));
  await assert.rejects(volumes.create({ name: 'data', driver: 'rexray' }), (error) => isKind(error, 'conflict'));
});

test('remove() refuses while a container holds the volume', async () => {
  const { volumes, seen } = await room();
  const user = await container(volumes, { Binds: ['data:/data'] });
  await assert.rejects(
    volumes.remove('data'),
    (error) => isKind(error, 'conflict') && error.message === `remove data: volume is in use - [${user.id}]`,
  );
  await volumes.release(user, { removeAnonymous: true });
  await volumes.remove('data');
  assert.deepEqual(seen, ['volume create data', 'volume destroy data']);
  await assert.rejects(volumes.remove('data'), (error) => isKind(error, 'not-found'));
  await volumes.remove('data', { force: true });
});

test('plan() makes what is missing and inherits from other containers', async () => {
  const { volumes, dataRoot } = await room();
  const first = await container(volumes, { Binds: ['data:/data', '/etc:/host:ro'] }, { images: ['/var/lib/x'] });
  const data = { Type: 'volume', Name: 'data', Source: join(dataRoot, 'volumes/data/_data'), Driver: 'local' };
  assert.deepEqual(first.mounts[0], { ...data, Destination: '/data', Mode: 'z', RW: true, Propagation: '' });
  assert.deepEqual(first.mounts[1], {
    Type: 'bind',
    Source: '/etc',
    Destination: '/host',
    Mode: 'ro',
    RW: false,
    Propagation: 'rprivate',
  });
  assert.equal(first.mounts[2]?.Mode, '');
  const second = await container(volumes, { VolumesFrom: [`${first.id}:ro`] }, { others: [first] });
  assert.deepEqual(
    second.mounts.map(({ RW }) => RW),
    [false, false, false],
  );
  const anonymous = first.mounts[2]?.Name ?? '';
  await volumes.release(first, { removeAnonymous: true });
  assert.equal(volumes.inspect(anonymous).Name, anonymous);
  await volumes.release(second, { removeAnonymous: true });
  assert.throws(
    () => volumes.inspect(anonymous),
    (error) => isKind(error, 'not-found'),
  );
  assert.equal(volumes.inspect('data').Name, 'data');
});

test('plan() that fails leaves no anonymous volume behind', async () => {
  const { volumes } = await room();
  const failing = container(volumes, { Binds: ['/anonymous', './relative:/x'] });
  await assert.rejects(failing, /create \.\/relative: "\.\/relative" includes invalid characters/);
  assert.deepEqual(volumes.list(filters()), []);
});

test('runtimeMounts() and unmount() publish once and give the sources', async () => {
  const { volumes, seen, dataRoot } = await room();
  const source = join(dataRoot, 'made/by/us');
  const user = await container(volumes, { Binds: ['data:/data', `${source}:/b`], Tmpfs: { '/run': 'size=1m' } });
  const mounts = await volumes.runtimeMounts(user);
  assert.deepEqual(
    mounts.map(({ destination, type }) => [destination, type]),
    [
      ['/data', 'bind'],
      ['/b', 'bind'],
      ['/run', 'tmpfs'],
    ],
  );
  assert.ok(existsSync(source));
  await volumes.unmount(user);
  await volumes.unmount(user);
  assert.deepEqual(seen, ['volume create data', 'volume mount data', 'volume unmount data']);
});

test('prune() takes anonymous volumes nobody holds, with all every one', async () => {
  const { volumes, seen } = await room();
  await volumes.create({ name: 'named' });
  await volumes.create({ name: 'keep', labels: { keep: '1' } });
  const anonymous = await volumes.create({});
  writeFileSync(join(anonymous.Mountpoint, 'file'), Buffer.alloc(100_000));
  const first = await volumes.prune(filters());
  assert.deepEqual(first.deleted, [anonymous.Name]);
  assert.ok(first.spaceReclaimedBytes >= 100_000);
  assert.equal(seen.at(-1), 'volume prune ');
  assert.deepEqual((await volumes.prune(filters({ all: ['true'], 'label!': ['keep'] }))).deleted, ['named']);
  await assert.rejects(volumes.prune(filters({ all: ['maybe'] })), (error) => isKind(error, 'invalid-argument'));
  volumes.close();
});

test('usage() counts bytes on disk and holders', async () => {
  const { volumes } = await room();
  await container(volumes, { Binds: ['data:/data'] });
  writeFileSync(join(volumes.inspect('data').Mountpoint, 'f'), Buffer.alloc(50_000));
  const [usage] = await volumes.usage();
  assert.equal(usage?.UsageData?.RefCount, 1);
  assert.ok((usage?.UsageData?.Size ?? 0) >= 50_000);
  volumes.close();
});

test('createVolumeService() finds volumes and holders again, ends removals, takes in lost data', async () => {
  const dataRoot = mkdtempSync(join(root, 'data-'));
  const path = join(dataRoot, 'wharf.db');
  const store = openStore({ path });
  const before = await room({ dataRoot, store });
  const user = await container(before.volumes, { Binds: ['data:/data'] });
  const gone = await container(before.volumes, { Binds: ['other:/data'] });
  await store.committed();
  store.close();
  mkdirSync(join(dataRoot, 'volumes/lost/_data'), { recursive: true });
  mkdirSync(join(dataRoot, 'volumes/.removing-1234/_data'), { recursive: true });
  rmSync(join(dataRoot, 'volumes/other'), { recursive: true });
  const reopened = openStore({ path });
  const { volumes } = await room({ dataRoot, store: reopened });
  assert.deepEqual(
    volumes.list(filters()).map(({ Name }) => Name),
    ['data', 'lost', 'other'],
  );
  assert.ok(!existsSync(join(dataRoot, 'volumes/.removing-1234')));
  await assert.rejects(volumes.remove('other'), (error) => isKind(error, 'conflict'));
  await volumes.restore([user]);
  await volumes.remove('other');
  await assert.rejects(volumes.remove('data'), (error) => isKind(error, 'conflict'));
  assert.ok(gone);
  reopened.close();
});
