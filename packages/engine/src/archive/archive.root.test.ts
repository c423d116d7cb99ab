import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isKind, nullLogger, WharfError } from '@wharf/kit';
import { lsetxattr } from '@wharf/linux/fsx';
import { listMounts } from '@wharf/linux/mount';
import { openSnapshotter } from '@wharf/oci/snapshots/open';
import { buildTar, type TarMemberInit } from '@wharf/oci/tar/build';
import { readTar } from '@wharf/oci/tar/read';
import { layerPool } from '@wharf/oci/workers/pool';
import type { ContainerPathStat, MountPoint } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { RuntimeMount } from '../volumes/volume-service.ts';
import { createArchiveService } from './archive.ts';
import type { ArchiveService } from './archive-service.ts';

const PREFIX = 'wharf-archive-';

/** A root filesystem, a volume and a secret outside, seen stopped or through a process. */
class Bed {
  readonly top = mkdtempSync(join(tmpdir(), PREFIX));
  readonly rootfs = join(this.top, 'rootfs');
  readonly volume = join(this.top, 'volume');
  readonly events: string[] = [];
  process: ChildProcess | undefined;
  pid = 0;
  readOnlyRoot = false;
  readOnlyVolume = false;
  status = 'exited';

  constructor() {
    for (const path of [
      'rootfs/bin',
      'rootfs/etc',
      'rootfs/tmp',
      'rootfs/data',
      'rootfs/proc',
      'volume',
      'containers/cid',
    ]) {
      mkdirSync(join(this.top, path), { recursive: true });
    }
    copyFileSync('/bin/busybox', join(this.rootfs, 'bin/busybox'));
    writeFileSync(join(this.top, 'secret'), 'secret');
    writeFileSync(join(this.top, 'containers/cid/hosts'), '127.0.0.1 own');
    writeFileSync(join(this.rootfs, 'etc/hosts'), '');
    writeFileSync(join(this.rootfs, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nweb:x:33:44::/:/bin/sh\n');
    writeFileSync(join(this.volume, 'inside'), 'of the volume');
  }

  get record(): ContainerRecord {
    const mounts: MountPoint[] = [
      {
        Type: 'volume',
        Source: this.volume,
        Destination: '/data',
        Mode: '',
        RW: !this.readOnlyVolume,
        Propagation: '',
      },
    ];
    const state = { pid: this.pid, status: this.status };
    const record = {
      id: 'cid',
      name: 'c',
      config: { User: 'web' },
      hostConfig: { ReadonlyRootfs: this.readOnlyRoot },
      mounts,
      state,
    };
    // The parts the archive room reads.
    return record as unknown as ContainerRecord;
  }

  /** Starts a process with the root filesystem as root, as a runtime would: own mounts, the volume, /proc, a tmpfs. */
  async start(): Promise<void> {
    const script = [
      'mount --make-rprivate /',
      `mount --bind ${this.rootfs} ${this.rootfs}`,
      `mount --bind ${this.volume} ${this.rootfs}/data`,
      `mount --bind ${this.top}/containers/cid/hosts ${this.rootfs}/etc/hosts`,
      `mount -t proc proc ${this.rootfs}/proc`,
      `mount -t tmpfs tmpfs ${this.rootfs}/tmp`,
      `cd ${this.rootfs}`,
      'pivot_root . .',
      '/bin/busybox umount -l .',
      "exec /bin/busybox sh -c 'echo live > /tmp/live; echo ready; exec /bin/busybox sleep 1000'",
    ].join(' && ');
    const child = spawn('unshare', ['-m', 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.process = child;
    await once(child.stdout ?? child, 'data');
    this.pid = child.pid ?? 0;
    this.status = 'running';
  }

  async stop(): Promise<void> {
    const child = this.process;
    if (child && child.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(this.top, { recursive: true, force: true });
  }
}

let bed: Bed;
let archive: ArchiveService;

beforeEach(async () => {
  bed = new Bed();
  const mounts = (): RuntimeMount[] => [
    { type: 'bind', source: bed.volume, destination: '/data', options: ['rbind', bed.readOnlyVolume ? 'rro' : 'rw'] },
    { type: 'tmpfs', source: 'tmpfs', destination: '/tmp', options: [] },
  ];
  archive = createArchiveService({
    containers: {
      get: () => bed.record,
      withRootfs: (_id, work) => work(bed.rootfs),
      publish: (_record, action) => bed.events.push(action),
    },
    volumes: { runtimeMounts: async () => mounts(), unmount: async () => {} },
    snapshots: await openSnapshotter({ root: join(bed.top, 's'), log: nullLogger, driver: 'copy' }),
    dataRoot: bed.top,
    log: nullLogger,
  });
});
afterEach(async () => {
  await archive.close();
  await bed.stop();
});
after(async () => {
  await layerPool.close();
  // Others mount and unmount beside us: only what bears our name counts.
  assert.deepEqual(
    listMounts().filter(({ mountPoint, root }) => `${mountPoint} ${root}`.includes(PREFIX)),
    [],
  );
});

const signal = new AbortController().signal;

async function get(path: string): Promise<{ stat: ContainerPathStat; names: string[]; contents: Map<string, string> }> {
  let stat: ContainerPathStat | undefined;
  const chunks: Buffer[] = [];
  await archive.get('c', path, {
    begin: (found) => {
      stat = found;
    },
    write: async (chunk) => {
      chunks.push(Buffer.from(chunk));
    },
    signal,
  });
  const names: string[] = [];
  const contents = new Map<string, string>();
  for await (const { entry, content } of readTar(Readable.from(chunks))) {
    names.push(entry.name);
    let text = '';
    for await (const chunk of content) text += chunk.toString();
    contents.set(entry.name, text);
  }
  return { stat: stat ?? assert.fail('no stat'), names, contents };
}

function put(
  path: string,
  members: readonly TarMemberInit[] | Buffer,
  options: { keep?: boolean; own?: boolean } = {},
): Promise<void> {
  return archive.put('c', {
    path,
    body: Readable.from([Buffer.isBuffer(members) ? members : buildTar(members)]),
    noOverwriteDirNonDir: options.keep ?? true,
    copyUidGid: options.own ?? false,
    signal,
  });
}

for (const mode of ['stopped', 'running'] as const) {
  describe(`archive of a ${mode} container`, () => {
    const go = async (): Promise<void> => {
      if (mode === 'running') await bed.start();
    };

    it('stat() describes files as Docker does', async () => {
      mkdirSync(join(bed.rootfs, 'd/sub'), { recursive: true });
      writeFileSync(join(bed.rootfs, 'd/suid'), 'abc', { mode: 0o755 });
      execFileSync('chmod', ['4755', join(bed.rootfs, 'd/suid')]);
      symlinkSync('../../../d/sub/../suid', join(bed.rootfs, 'd/up'));
      symlinkSync('/missing/x', join(bed.rootfs, 'd/broken'));
      await go();
      const suid = await archive.stat('c', '/d/suid');
      assert.deepEqual([suid.name, suid.size, suid.mode, suid.linkTarget], ['suid', 3, 0o755 + 2 ** 23, '']);
      const directory = await archive.stat('c', 'd/sub/..');
      assert.deepEqual([directory.name, directory.mode], ['d', 0o755 + 2 ** 31]);
      assert.equal((await archive.stat('c', '/d/up')).linkTarget, '/d/suid');
      assert.equal((await archive.stat('c', '/d/broken')).linkTarget, '/missing/x');
      assert.equal((await archive.stat('c', '/')).name, '/');
      await assert.rejects(
        archive.stat('c', '/nothing'),
        /^WharfError: Could not find the file \/nothing in container c$/,
      );
    });

    it('get() names entries after the last part of the path', async () => {
      mkdirSync(join(bed.rootfs, 'a/b/c'), { recursive: true });
      writeFileSync(join(bed.rootfs, 'a/b/file'), 'x'.repeat(600_000));
      symlinkSync('b', join(bed.rootfs, 'a/l'));
      await go();
      assert.deepEqual((await get('/a/b')).names, ['b/', 'b/c/', 'b/file']);
      assert.deepEqual((await get('/a/b/.')).names, ['./', './c/', './file']);
      assert.deepEqual((await get('/a/b/')).names, ['b/', 'b/c/', 'b/file']);
      assert.deepEqual((await get('/a/l/')).names, ['l/', 'l/c/', 'l/file']);
      assert.deepEqual((await get('/a/l')).names, ['l']);
      const file = await get('/a/b/../b/file');
      assert.deepEqual(file.names, ['file']);
      assert.equal(file.contents.get('file')?.length, 600_000);
      await assert.rejects(get('/none'), (error) => isKind(error, 'not-found'));
      assert.ok(bed.events.includes('archive-path'));
    });

    it('sees volumes and the files of the network', async () => {
      await go();
      assert.equal((await get('/data/inside')).contents.get('inside'), 'of the volume');
      assert.equal((await get('/etc/hosts')).contents.get('hosts'), '127.0.0.1 own');
      await put('/data', [{ name: 'new', type: 'file', content: 'n' }]);
      assert.equal(readFileSync(join(bed.volume, 'new'), 'utf8'), 'n');
      assert.ok(!existsSync(join(bed.rootfs, 'data/new')));
    });

    it('never leaves the container', async () => {
      symlinkSync(bed.top, join(bed.rootfs, 'out'));
      symlinkSync('../../../../../../../../..', join(bed.rootfs, 'up'));
      symlinkSync(`/proc/1/root${bed.top}`, join(bed.rootfs, 'magic'));
      symlinkSync(`/proc/self/root${bed.top}`, join(bed.volume, 'magic'));
      await go();
      for (const path of ['out', `up${bed.top}`, `..${bed.top}`, 'magic', 'data/magic', `proc/1/root${bed.top}`]) {
        await assert.rejects(get(`/${path}/secret`), (error) => isKind(error, 'not-found'), path);
        await assert.rejects(put(`/${path}`, [{ name: 'new', type: 'file' }]), WharfError, path);
      }
      await put('/', [
        { name: 'out/new', type: 'file', content: 'x' },
        { name: 'hard', type: 'link', linkName: 'etc/passwd' },
        { name: '../../new', type: 'file', content: 'x' },
      ]).catch((error: unknown) => assert.ok(error instanceof WharfError));
      assert.ok(!existsSync(join(bed.top, 'new')) && !existsSync('/new'));
    });

    it('put() follows symlinks to the directory and keeps kinds apart', async () => {
      mkdirSync(join(bed.rootfs, 'real/dir'), { recursive: true });
      symlinkSync('/real', join(bed.rootfs, 'link'));
      await go();
      await put('/link', gzipSync(buildTar([{ name: 'f', type: 'file', uid: 7, gid: 8, mode: 0o640, content: 'z' }])));
      const status = lstatSync(join(bed.rootfs, 'real/f'));
      assert.deepEqual([status.uid, status.gid, status.mode & 0o777], [7, 8, 0o640]);
      await assert.rejects(
        put('/link', [{ name: 'dir', type: 'file' }]),
        /cannot overwrite directory "dir" with non-directory/,
      );
      await assert.rejects(
        put('/link', [{ name: 'f', type: 'directory' }]),
        /cannot overwrite non-directory "f" with directory/,
      );
      await put('/link', [{ name: 'dir', type: 'file' }], { keep: false });
      assert.ok(statSync(join(bed.rootfs, 'real/dir')).isFile());
      await assert.rejects(put('/link/f', [{ name: 'x', type: 'file' }]), /extraction point is not a directory/);
      await assert.rejects(
        put('/none', [{ name: 'x', type: 'file' }]),
        /Could not find the file \/none in container c/,
      );
      await assert.rejects(put('/link', Buffer.from('no tar at all'.repeat(99))), (error) =>
        isKind(error, 'data-loss'),
      );
      assert.ok(bed.events.includes('extract-to-dir'));
    });

    it("put() gives files to the container's user when asked", async () => {
      await go();
      await put('/data', [{ name: 'own', type: 'file' }], { own: true });
      const status = lstatSync(join(bed.volume, 'own'));
      assert.deepEqual([status.uid, status.gid], [33, 44]);
    });

    it('put() refuses a read-only root and a read-only volume', async () => {
      bed.readOnlyRoot = true;
      await go();
      await assert.rejects(put('/etc', [{ name: 'x', type: 'file' }]), /container rootfs is marked read-only/);
      await put('/data', [{ name: 'x', type: 'file' }]);
      bed.readOnlyVolume = true;
      await assert.rejects(put('/data', [{ name: 'y', type: 'file' }]), /mounted volume is marked read-only/);
    });

    it('export() gives the whole root without volumes', async () => {
      lsetxattr(join(bed.rootfs, 'etc/passwd'), 'user.note', Buffer.from('hi'));
      await go();
      const chunks: Buffer[] = [];
      await archive.export('c', {
        write: async (chunk) => {
          chunks.push(Buffer.from(chunk));
        },
        signal,
      });
      const names: string[] = [];
      for await (const { entry } of readTar(Readable.from(chunks))) {
        names.push(entry.name);
        if (entry.name === 'etc/passwd') assert.equal(`${entry.xattrs.get('user.note')}`, 'hi');
      }
      assert.ok(
        names.includes('data/') && names.includes('bin/busybox') && !names.includes('data/inside'),
        names.join(),
      );
      assert.ok(!names.includes('/') && !names.includes('./'));
    });

    it('stops when the client leaves', async () => {
      writeFileSync(join(bed.rootfs, 'big'), Buffer.alloc(16 << 20));
      await go();
      const abort = new AbortController();
      let chunks = 0;
      const reading = archive.get('c', '/big', {
        begin: () => {},
        write: async () => {
          if (++chunks === 3) abort.abort(new WharfError('aborted', 'gone'));
        },
        signal: abort.signal,
      });
      await assert.rejects(reading, /gone/);
      assert.ok(chunks < 40, String(chunks));
      assert.equal((await archive.stat('c', '/big')).size, 16 << 20);
    });
  });
}

it('archive of a running container sees its tmpfs', async () => {
  await bed.start();
  assert.equal((await get('/tmp/live')).contents.get('live'), 'live\n');
  await put('/tmp', [{ name: 'sent', type: 'file', content: 's' }]);
  assert.deepEqual((await get('/tmp')).names, ['tmp/', 'tmp/live', 'tmp/sent']);
  assert.deepEqual(readdirSync(join(bed.rootfs, 'tmp')), []);
});
