import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { type ChainId, nullLogger } from '@wharf/kit';
import { lsetxattr } from '@wharf/linux/fsx';
import { unmount } from '@wharf/linux/mount';
import { mountSnapshot } from '../snapshots/mount-snapshot.ts';
import { openSnapshotter } from '../snapshots/open.ts';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import { readTar } from '../tar/read.ts';
import { layerPool } from '../workers/pool.ts';
import { diffLayer, listChanges } from './diff.ts';
import { unpackLayers } from './unpack.ts';

after(() => layerPool.close());

for (const driver of ['overlayfs', 'copy'] as const) {
  describe(`diffLayer() and listChanges() on ${driver}`, () => {
    let top = '';
    let snapshots: Snapshotter;
    const base = `sha256:${'1'.repeat(64)}` as ChainId;

    const write = (key: string, work: (path: string) => void): void => {
      const target = mkdtempSync(join(top, 'm-'));
      mountSnapshot(snapshots.mounts(key), target);
      try {
        work(target);
      } finally {
        unmount(target, { detach: true });
      }
    };

    beforeEach(async () => {
      top = mkdtempSync(join(tmpdir(), 'wharf-diff-'));
      snapshots = await openSnapshotter({ root: join(top, 's'), log: nullLogger, driver });
      await snapshots.prepare('extract-base', '');
      write('extract-base', (path) => {
        for (const directory of ['etc', 'data/sub', 'replaced', 'quiet/deep'])
          mkdirSync(join(path, directory), { recursive: true });
        for (const file of ['gone', 'etc/passwd', 'data/old', 'data/sub/x', 'replaced/inner', 'quiet/deep/same']) {
          writeFileSync(join(path, file), file);
        }
      });
      await snapshots.commit(base, 'extract-base');
      await snapshots.prepare('c', base);
    });
    afterEach(async () => {
      await snapshots.close();
      rmSync(top, { recursive: true, force: true });
    });

    const change = (): void =>
      write('c', (path) => {
        const at = (name: string): string => join(path, name);
        rmSync(at('gone'));
        writeFileSync(at('etc/passwd'), 'other');
        writeFileSync(at('etc/hosts'), '');
        mkdirSync(at('dev'));
        mkdirSync(at('proc'));
        writeFileSync(at('.dockerenv'), '');
        rmSync(at('data'), { recursive: true });
        mkdirSync(at('data'));
        writeFileSync(at('data/new'), 'new');
        rmSync(at('replaced'), { recursive: true });
        symlinkSync('etc', at('replaced'));
        writeFileSync(at('file'), 'x', { mode: 0o755 });
        lsetxattr(at('file'), 'user.note', Buffer.from('hi'));
        linkSync(at('file'), at('hard'));
        writeFileSync(Buffer.from(at('b\xffd'), 'latin1'), '');
      });

    const expected = [
      'A /b\ufffdd',
      'C /data',
      'A /data/new',
      'D /data/old',
      'D /data/sub',
      'C /etc',
      'C /etc/passwd',
      'A /file',
      'D /gone',
      'A /hard',
      'C /replaced',
    ];

    it('lists changes as Docker does, without the mount points the engine makes', async () => {
      change();
      const changes = await listChanges({ snapshots, key: 'c' });
      assert.deepEqual(
        changes.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`),
        expected,
      );
    });

    it('finds nothing in a container that only had things mounted', async () => {
      write('c', (path) => {
        writeFileSync(join(path, 'etc/hosts'), '');
        mkdirSync(join(path, 'dev'));
        mkdirSync(join(path, 'sys'));
      });
      assert.deepEqual(await listChanges({ snapshots, key: 'c' }), []);
    });

    it('shows a changed mode, and files put into a mount point', async () => {
      write('c', (path) => {
        chmodSync(join(path, 'quiet'), 0o700);
        mkdirSync(join(path, 'dev'));
        writeFileSync(join(path, 'dev/own'), 'x');
      });
      const changes = await listChanges({ snapshots, key: 'c' });
      assert.deepEqual(
        changes.map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`),
        ['A /dev', 'A /dev/own', 'C /quiet'],
      );
    });

    it('makes a layer that gives the same tree again', async () => {
      change();
      for (const compression of ['none', 'gzip', 'zstd'] as const) {
        const chunks: Buffer[] = [];
        const diff = await diffLayer({
          snapshots,
          key: 'c',
          compression,
          write: (chunk) => {
            chunks.push(Buffer.from(chunk));
          },
        });
        const blob = Buffer.concat(chunks);
        const tar =
          compression === 'none' ? blob : compression === 'gzip' ? gunzipSync(blob) : zstdDecompressSync(blob);
        assert.equal(diff.digest, `sha256:${createHash('sha256').update(blob).digest('hex')}`);
        assert.equal(diff.diffId, `sha256:${createHash('sha256').update(tar).digest('hex')}`);
        assert.equal(diff.blobBytes, blob.length);
        const names: string[] = [];
        for await (const { entry } of readTar(chunksOf(tar))) names.push(entry.name);
        assert.ok(names.includes('.wh.gone') && !names.includes('etc/hosts') && !names.includes('dev/'), names.join());
        if (driver === 'overlayfs') assert.ok(names.includes('data/.wh..wh..opq'));

        const path = join(top, compression);
        writeFileSync(path, blob);
        await snapshots.prepare('extract-again', '');
        write('extract-again', (at) => {
          mkdirSync(join(at, 'data'), { recursive: true });
          mkdirSync(join(at, 'replaced'));
          for (const file of ['gone', 'data/old', 'replaced/inner']) writeFileSync(join(at, file), '');
        });
        const ground = `sha256:${createHash('sha256').update(compression).digest('hex')}` as ChainId;
        await snapshots.commit(ground, 'extract-again');
        const { applyLayer } = await import('./apply.ts');
        await snapshots.prepare('extract-top', ground);
        const mounts = driver === 'overlayfs' ? snapshots.mounts('extract-top') : undefined;
        await applyLayer({
          source: { path },
          target: snapshots.layerDir('extract-top'),
          mounts,
          mode: 'merged',
          expectedDiffId: diff.diffId,
        });
        write('extract-top', (at) => {
          assert.deepEqual(readdirSync(at, { encoding: 'latin1' }).sort(), [
            'b\xffd',
            'data',
            'etc',
            'file',
            'hard',
            'replaced',
          ]);
          assert.deepEqual(readdirSync(join(at, 'data')), ['new']);
          assert.equal(readFileSync(join(at, 'hard'), 'utf8'), 'x');
        });
        await snapshots.remove('extract-top');
        assert.ok(await unpackLayers({ snapshots, layers: [{ path, diffId: diff.diffId }] }));
      }
    });
  });
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
}
