import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type DiffId, isKind, nullLogger } from '@wharf/kit';
import { listMounts, unmount } from '@wharf/linux/mount';
import { mountSnapshot } from '../snapshots/mount-snapshot.ts';
import { openSnapshotter } from '../snapshots/open.ts';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import { buildTar, type TarMemberInit } from '../tar/build.ts';
import { layerPool } from '../workers/pool.ts';
import { type LayerBlob, unpackLayers } from './unpack.ts';

after(() => layerPool.close());

for (const driver of ['overlayfs', 'copy'] as const) {
  describe(`unpackLayers() on ${driver}`, () => {
    let top = '';
    let snapshots: Snapshotter;
    let serial = 0;

    beforeEach(async () => {
      top = mkdtempSync(join(tmpdir(), 'wharf-unpack-'));
      snapshots = await openSnapshotter({ root: join(top, 's'), log: nullLogger, driver });
    });
    afterEach(async () => {
      await snapshots.close();
      rmSync(top, { recursive: true, force: true });
    });

    const blob = (members: readonly TarMemberInit[]): LayerBlob => {
      const archive = buildTar(members);
      const path = join(top, `blob-${++serial}`);
      writeFileSync(path, gzipSync(archive));
      return { path, diffId: `sha256:${createHash('sha256').update(archive).digest('hex')}` as DiffId };
    };
    const look = (key: string, work: (path: string) => void): void => {
      const target = mkdtempSync(join(top, 'm-'));
      mountSnapshot(snapshots.mounts(key), target);
      try {
        work(target);
      } finally {
        unmount(target, { detach: true });
      }
    };

    it('stacks layers, also those that lean on what is below them', async () => {
      const layers = [
        blob([
          { name: './', type: 'directory', mode: 0o711 },
          { name: 'usr/bin/', type: 'directory', mode: 0o750 },
          { name: 'bin', type: 'symlink', linkName: 'usr/bin' },
          { name: 'usr/bin/tool', type: 'file', content: '1' },
          { name: 'data/old', type: 'file', content: 'old' },
          { name: 'gone', type: 'file' },
        ]),
        blob([
          { name: 'etc', type: 'directory', mode: 0o755 },
          { name: 'etc/.wh..wh..opq', type: 'file' },
          { name: '.wh.gone', type: 'file' },
        ]),
        // No entries for the parents, one of which is a symlink below; a hard link down; an opaque marker alone.
        blob([
          { name: 'bin/more', type: 'file', content: '2' },
          { name: 'usr/bin/alias', type: 'link', linkName: 'usr/bin/tool' },
          { name: 'data/.wh..wh..opq', type: 'file' },
          { name: 'data/new', type: 'file', content: 'new' },
        ]),
        blob([{ name: 'last', type: 'file', mode: 0o600 }]),
      ];
      const seen: number[] = [];
      const chain = await unpackLayers({ snapshots, layers, onLayer: (index) => seen.push(index) });
      assert.ok(!listMounts().some(({ mountPoint }) => mountPoint.startsWith(top)));
      assert.deepEqual(seen, [0, 1, 2, 3]);
      look(chain, (path) => {
        assert.deepEqual(readdirSync(path).sort(), ['bin', 'data', 'etc', 'last', 'usr']);
        assert.equal(readlinkSync(join(path, 'bin')), 'usr/bin');
        assert.deepEqual(readdirSync(join(path, 'usr/bin')).sort(), ['alias', 'more', 'tool']);
        assert.equal(readFileSync(join(path, 'usr/bin/alias'), 'utf8'), '1');
        assert.equal(statSync(join(path, 'usr/bin')).mode & 0o7777, 0o750);
        assert.deepEqual(readdirSync(join(path, 'data')), ['new']);
        assert.equal(statSync(path).mode & 0o7777, 0o711);
      });
      assert.equal(snapshots.list().length, 4);
      assert.equal(await unpackLayers({ snapshots, layers }), chain);
    });

    it('leaves nothing half made when a layer is bad', async () => {
      const good = blob([{ name: 'a', type: 'file' }]);
      const bad: LayerBlob = { ...blob([{ name: 'b', type: 'file' }]), diffId: `sha256:${'0'.repeat(64)}` as DiffId };
      await assert.rejects(
        unpackLayers({ snapshots, layers: [good, bad, blob([{ name: 'c', type: 'file' }])] }),
        (error) => isKind(error, 'data-loss'),
      );
      assert.deepEqual(
        snapshots.list().map(({ kind }) => kind),
        ['committed'],
      );
      await snapshots.close();
      assert.ok(!existsSync(join(top, 's', 'trash', 'x')));
      assert.deepEqual(readdirSync(join(top, 's', 'trash')), []);
    });

    it('gives nothing for no layers', async () => {
      assert.equal(await unpackLayers({ snapshots, layers: [] }), '');
    });
  });
}
