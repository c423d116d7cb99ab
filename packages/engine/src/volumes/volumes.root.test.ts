import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ContainerId } from '@wharf/kit';
import { hasErrno, newId, nullLogger, systemClock } from '@wharf/kit';
import { mkfifo } from '@wharf/linux/fsx';
import { isMountPoint, unmount } from '@wharf/linux/mount';
import { lgetxattr, lsetxattr } from '@wharf/linux/xattr';
import { openMemoryStore } from '@wharf/store';
import type { HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { createEventBus } from '../events/events.ts';
import { copyTree, openDirectory } from './copy-tree.ts';
import { createVolumeService } from './volumes.ts';

const root = mkdtempSync(join(tmpdir(), 'wharf-volumes-root-'));
const mounted: string[] = [];
after(() => {
  for (const path of mounted) if (existsSync(path) && isMountPoint(path)) unmount(path, { detach: true });
  rmSync(root, { recursive: true, force: true });
});

async function setUp(hostConfig: HostConfig, images: readonly string[] = []) {
  const dataRoot = mkdtempSync(join(root, 'data-'));
  const events = createEventBus({ clock: systemClock, log: nullLogger });
  const volumes = await createVolumeService({
    store: openMemoryStore(),
    dataRoot,
    events,
    log: nullLogger,
    clock: systemClock,
  });
  const create = async () => {
    const id = newId() as ContainerId;
    const lookUp = () => assert.fail('no other container');
    const mounts = await volumes.plan({ containerId: id, hostConfig, imageVolumes: images, lookUp });
    const record = { id, hostConfig, mounts, state: { pid: 0 } } as unknown as ContainerRecord;
    await volumes.acquire(record);
    return record;
  };
  return { volumes, dataRoot, create };
}

function makeRootfs(): string {
  const rootfs = mkdtempSync(join(root, 'rootfs-'));
  const data = join(rootfs, 'data');
  mkdirSync(join(data, 'sub'), { recursive: true });
  writeFileSync(join(data, 'file'), 'content');
  chownSync(join(data, 'file'), 12, 34);
  chmodSync(join(data, 'file'), 0o4751);
  lsetxattr(join(data, 'file'), 'user.note', Buffer.from('hello'));
  linkSync(join(data, 'file'), join(data, 'sub/again'));
  symlinkSync('/etc/passwd', join(data, 'link'));
  mkfifo(join(data, 'pipe'), 0o640);
  utimesSync(join(data, 'file'), 1000, 2000);
  chownSync(data, 56, 78);
  chmodSync(data, 0o1770);
  utimesSync(data, 3000, 4000);
  return rootfs;
}

test('populate() copies everything about the image content, once', async () => {
  const { volumes, create } = await setUp({ Binds: ['data:/data'] });
  const rootfs = makeRootfs();
  await volumes.populate(await create(), rootfs);
  const target = volumes.inspect('data').Mountpoint;
  const file = statSync(join(target, 'file'));
  assert.deepEqual([file.uid, file.gid, file.mode & 0o7777, file.mtimeMs, file.nlink], [12, 34, 0o4751, 2_000_000, 2]);
  assert.equal(lgetxattr(join(target, 'file'), 'user.note')?.toString(), 'hello');
  assert.equal(statSync(join(target, 'sub/again')).ino, file.ino);
  assert.equal(readlinkSync(join(target, 'link')), '/etc/passwd');
  assert.ok(lstatSync(join(target, 'pipe')).isFIFO());
  assert.equal(lstatSync(join(target, 'pipe')).mode & 0o777, 0o640);
  const directory = statSync(target);
  assert.deepEqual(
    [directory.uid, directory.gid, directory.mode & 0o7777, directory.mtimeMs],
    [56, 78, 0o1770, 4_000_000],
  );
  writeFileSync(join(rootfs, 'data/file'), 'newer');
  await volumes.populate(await create(), rootfs);
  assert.equal(readFileSync(join(target, 'file'), 'utf8'), 'content');
  volumes.close();
});

test('populate() stays inside the container root whatever symlinks say', async () => {
  const { volumes, create } = await setUp({}, ['/abs/deep', '/up']);
  const rootfs = mkdtempSync(join(root, 'rootfs-'));
  const outside = mkdtempSync(join(root, 'outside-'));
  mkdirSync(join(outside, 'deep'));
  writeFileSync(join(outside, 'deep/secret'), 'no');
  symlinkSync(outside, join(rootfs, 'abs'));
  symlinkSync('../../../../../../etc', join(rootfs, 'up'));
  const record = await create();
  await volumes.populate(record, rootfs);
  for (const { Source } of record.mounts)
    assert.ok(!existsSync(join(Source, 'secret')) && !existsSync(join(Source, 'passwd')));
  // The same links inside the root are followed.
  mkdirSync(join(rootfs, outside, 'deep'), { recursive: true });
  writeFileSync(join(rootfs, outside, 'deep/inside'), 'yes');
  await volumes.populate(record, rootfs);
  const source = record.mounts.find(({ Destination }) => Destination === '/abs/deep')?.Source ?? '';
  assert.equal(readFileSync(join(source, 'inside'), 'utf8'), 'yes');
  volumes.close();
});

test('an empty image directory gives the volume its owner and mode', async () => {
  const { volumes, create } = await setUp({}, ['/empty']);
  const rootfs = mkdtempSync(join(root, 'rootfs-'));
  mkdirSync(join(rootfs, 'empty'), { mode: 0o700 });
  chownSync(join(rootfs, 'empty'), 99, 98);
  const record = await create();
  await volumes.populate(record, rootfs);
  const status = statSync(record.mounts[0]?.Source ?? '');
  assert.deepEqual([status.uid, status.gid, status.mode & 0o777], [99, 98, 0o700]);
});

test('a tmpfs volume is mounted while used by somebody', async () => {
  const { volumes, create } = await setUp({ Binds: ['mem:/mem'] });
  await volumes.create({ name: 'mem', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=0700' } });
  const path = volumes.inspect('mem').Mountpoint;
  mounted.push(path);
  const first = await create();
  const second = await create();
  await volumes.runtimeMounts(first);
  await volumes.runtimeMounts(second);
  assert.ok(isMountPoint(path));
  assert.equal(statSync(path).mode & 0o777, 0o700);
  await volumes.unmount(first);
  assert.ok(isMountPoint(path));
  await volumes.unmount(second);
  assert.ok(!isMountPoint(path));
});

test('a subpath is pinned inside its volume', async () => {
  const mount = { Type: 'volume', Source: 'data', Target: '/x', VolumeOptions: { Subpath: 'way/in' } };
  const { volumes, create } = await setUp({ Mounts: [mount] });
  const record = await create();
  await assert.rejects(volumes.runtimeMounts(record), /cannot access path/);
  const data = volumes.inspect('data').Mountpoint;
  mkdirSync(join(data, 'real/in'), { recursive: true });
  writeFileSync(join(data, 'real/in/file'), 'x');
  symlinkSync('/real', join(data, 'way'));
  // As Docker: an absolute link means the host's root, which is not in the volume.
  await assert.rejects(volumes.runtimeMounts(record), /path concatenation escapes the base directory/);
  rmSync(join(data, 'way'));
  symlinkSync('../_data/real', join(data, 'way'));
  await assert.rejects(volumes.runtimeMounts(record), /path concatenation escapes the base directory/);
  rmSync(join(data, 'way'));
  symlinkSync('real/../real', join(data, 'way'));
  const [made] = await volumes.runtimeMounts(record);
  const source = made?.source ?? '';
  mounted.push(source);
  assert.ok(isMountPoint(source));
  assert.equal(readFileSync(join(source, 'file'), 'utf8'), 'x');
  await volumes.release(record, { removeAnonymous: false });
  assert.ok(!existsSync(source));
  assert.ok(existsSync(join(data, 'real/in/file')));
});

test('populate() fills an empty directory inside a volume, and no other', async () => {
  const mount = { Type: 'volume', Source: 'data', Target: '/data', VolumeOptions: { Subpath: 'part' } };
  const { volumes, create } = await setUp({ Mounts: [mount] });
  const record = await create();
  const rootfs = makeRootfs();
  await volumes.populate(record, rootfs);
  const data = volumes.inspect('data').Mountpoint;
  assert.deepEqual(readdirSync(data), []);
  mkdirSync(join(data, 'part'));
  writeFileSync(join(data, 'own'), '');
  await volumes.populate(record, rootfs);
  assert.deepEqual(readdirSync(data), ['own', 'part']);
  assert.ok(existsSync(join(data, 'part/sub/again')));
  rmSync(join(data, 'part/sub'), { recursive: true });
  await volumes.populate(record, rootfs);
  assert.ok(!existsSync(join(data, 'part/sub')));
  volumes.close();
});

test('runtimeMounts() makes a single file read-only in the way runtimes can', async () => {
  const file = join(mkdtempSync(join(root, 'file-')), 'file');
  writeFileSync(file, '');
  const { volumes, create } = await setUp({ Binds: [`${file}:/file:ro`, '/usr:/directory:ro'] });
  const made = await volumes.runtimeMounts(await create());
  const options = Object.fromEntries(made.map(({ destination, options }) => [destination, options]));
  assert.deepEqual(options['/file'], ['rbind', 'ro', 'rprivate']);
  assert.deepEqual(options['/directory'], ['rbind', 'rro', 'rprivate']);
});

test('populate() begins anew where a crash cut it short', async () => {
  const { volumes, create } = await setUp({ Binds: ['data:/data'] });
  const record = await create();
  const target = volumes.inspect('data').Mountpoint;
  writeFileSync(join(target, 'half'), 'done');
  volumes.books.volumes.put('data', { ...volumes.record('data'), populating: true });
  await volumes.populate(record, makeRootfs());
  assert.ok(!existsSync(join(target, 'half')));
  assert.ok(existsSync(join(target, 'sub/again')));
  assert.equal(volumes.record('data').populating, undefined);
  volumes.close();
});

test('copyTree() does not write through what somebody planted in the target', () => {
  const outside = mkdtempSync(join(root, 'outside-'));
  const source = join(makeRootfs(), 'data');
  for (const name of ['sub', 'file', 'link', 'pipe']) {
    const target = mkdtempSync(join(root, 'planted-'));
    symlinkSync(name === 'sub' ? outside : join(outside, 'made'), join(target, name));
    const fds = [openDirectory(source), openDirectory(target)] as const;
    assert.throws(
      () => copyTree(...fds),
      (error) => hasErrno(error, 'EEXIST'),
    );
    for (const fd of fds) closeSync(fd);
  }
  assert.deepEqual(readdirSync(outside), []);
});

test('createVolumeService() ends a renaming and removes a half-made copy that a crash left', async () => {
  const dataRoot = mkdtempSync(join(root, 'data-'));
  const store = openMemoryStore();
  const make = () =>
    createVolumeService({
      ...{ store, dataRoot, log: nullLogger, clock: systemClock },
      events: createEventBus({ clock: systemClock, log: nullLogger }),
    });
  const first = await make();
  await first.create({ name: 'old' });
  writeFileSync(join(first.inspect('old').Mountpoint, 'file'), 'x');
  await first.create({ name: 'half' });
  // As a crash leaves them: the new name on disk, the directory not moved yet; a copy begun and not ended.
  first.books.volumes.put('new', { ...first.record('old'), name: 'new', renamedFrom: 'old' });
  first.books.volumes.put('half', { ...first.record('half'), unfinished: true });
  const second = await make();
  assert.deepEqual(
    second.list(new Map()).map(({ Name }) => Name),
    ['new'],
  );
  assert.ok(existsSync(join(second.inspect('new').Mountpoint, 'file')));
  assert.ok(!existsSync(join(dataRoot, 'volumes/half')));
});
