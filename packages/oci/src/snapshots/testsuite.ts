import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ChainId, isKind } from '@wharf/kit';
import { unmount } from '@wharf/linux/mount';
import { mountSnapshot } from './mount-snapshot.ts';
import type { Mount, Snapshotter } from './snapshotter.ts';

const chain = (name: string | number): ChainId => `sha256:${String(name).padStart(64, '0')}` as ChainId;

/** What every snapshotter must do. `open` opens the one below `root`, again and again for the same. */
export function testSnapshotter(name: string, open: (root: string) => Promise<Snapshotter>): void {
  describe(name, () => {
    let top = '';
    let root = '';
    let snapshots: Snapshotter;

    beforeEach(async () => {
      top = mkdtempSync(join(tmpdir(), 'wharf-snap-'));
      root = join(top, 's');
      snapshots = await open(root);
    });
    afterEach(async () => {
      await snapshots.close();
      rmSync(top, { recursive: true, force: true });
    });

    const look = async <T>(mounts: readonly Mount[], work: (path: string) => T): Promise<T> => {
      const target = mkdtempSync(join(top, 'm-'));
      mountSnapshot(mounts, target);
      try {
        return work(target);
      } finally {
        unmount(target, { detach: true });
      }
    };
    const write = (key: string, work: (path: string) => void): Promise<void> => look(snapshots.mounts(key), work);
    const layer = async (id: number, parent: ChainId | '', work: (path: string) => void): Promise<ChainId> => {
      await snapshots.prepare(`extract-${id}`, parent);
      await write(`extract-${id}`, work);
      await snapshots.commit(chain(id), `extract-${id}`);
      return chain(id);
    };

    it('prepare() gives a tree that can be written and starts as its parent', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), '1'));
      await snapshots.prepare('c', base);
      await write('c', (path) => {
        assert.equal(readFileSync(join(path, 'a'), 'utf8'), '1');
        writeFileSync(join(path, 'a'), '2');
        writeFileSync(join(path, 'b'), '3');
      });
      await look(snapshots.mounts('c', { readOnly: true }), (path) => {
        assert.equal(readFileSync(join(path, 'a'), 'utf8'), '2');
      });
      await look(snapshots.mounts(base), (path) => assert.deepEqual(readdirSync(path), ['a']));
    });

    it('prepare() refuses a key in use and a parent that is missing', async () => {
      await snapshots.prepare('c', '');
      await assert.rejects(snapshots.prepare('c', ''), (error) => isKind(error, 'already-exists'));
      await assert.rejects(snapshots.prepare('d', chain(9)), (error) => isKind(error, 'not-found'));
      assert.equal(snapshots.stat('d'), undefined);
      await Promise.allSettled([snapshots.prepare('e', ''), snapshots.prepare('e', '')]).then((results) =>
        assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']),
      );
    });

    it('prepare() keeps the mode of the root directory', async () => {
      const base = await layer(1, '', (path) => chmodSync(path, 0o1750));
      await snapshots.prepare('c', base);
      await look(snapshots.mounts('c'), (path) => assert.equal(statSync(path).mode & 0o7777, 0o1750));
    });

    it('mounts() shows a committed snapshot read-only', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), '1'));
      const second = await layer(2, base, (path) => writeFileSync(join(path, 'b'), '2'));
      for (const key of [base, second]) {
        await look(snapshots.mounts(key), (path) => {
          assert.throws(() => writeFileSync(join(path, 'x'), ''), { code: 'EROFS' });
        });
      }
      assert.throws(
        () => snapshots.mounts('nothing'),
        (error) => isKind(error, 'not-found'),
      );
    });

    it('mounts() stacks 128 layers, past a page of mount options', async () => {
      let parent: ChainId | '' = '';
      for (let i = 1; i <= 128; i++) {
        parent = await layer(i, parent, (path) => {
          writeFileSync(join(path, `f${i}`), String(i));
          rmSync(join(path, `f${i - 2}`), { force: true });
        });
      }
      await snapshots.prepare('c', parent);
      await write('c', (path) => {
        assert.deepEqual(readdirSync(path).sort(), ['f127', 'f128']);
        writeFileSync(join(path, 'own'), '');
      });
    });

    it('mounts() can be taken again after a volatile mount', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), '1'));
      await snapshots.prepare('c', base);
      for (let i = 0; i < 2; i++) {
        await look(snapshots.mounts('c', { volatile: true }), (path) => writeFileSync(join(path, `v${i}`), ''));
      }
      await look(snapshots.mounts('c'), (path) => assert.deepEqual(readdirSync(path).sort(), ['a', 'v0', 'v1']));
    });

    it('commit() of a chain id that exists drops the newcomer', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), 'old'));
      await snapshots.prepare('extract-x', '');
      await write('extract-x', (path) => writeFileSync(join(path, 'a'), 'new'));
      await snapshots.commit(base, 'extract-x');
      assert.equal(snapshots.stat('extract-x'), undefined);
      await look(snapshots.mounts(base), (path) => assert.equal(readFileSync(join(path, 'a'), 'utf8'), 'old'));
      await assert.rejects(snapshots.commit(chain(5), 'nothing'), (error) => isKind(error, 'not-found'));
      assert.throws(
        () => snapshots.layerDir(base),
        (error) => isKind(error, 'failed-precondition'),
      );
    });

    it('remove() refuses while another stands on it, and is idempotent', async () => {
      const base = await layer(1, '', () => {});
      await snapshots.prepare('c', base);
      await assert.rejects(snapshots.remove(base), (error) => isKind(error, 'failed-precondition'));
      await snapshots.remove('c');
      await snapshots.remove('c');
      await snapshots.remove(base);
      assert.deepEqual(snapshots.list(), []);
      await snapshots.close();
      assert.deepEqual(
        readdirSync(root)
          .filter((name) => name !== 'overlay-works')
          .sort(),
        ['driver', 'trash'],
      );
      assert.deepEqual(readdirSync(join(root, 'trash')), []);
    });

    it('usage() counts what du counts', async () => {
      await snapshots.prepare('c', '');
      await write('c', (path) => writeFileSync(join(path, 'a'), Buffer.alloc(100_000, 1)));
      const { sizeBytes, inodes } = await snapshots.usage('c');
      assert.equal(inodes, 2);
      assert.ok(sizeBytes >= 100_000 && sizeBytes < 120_000, String(sizeBytes));
    });

    it('finds everything again when it is opened anew', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), '1'));
      await snapshots.prepare('c', base);
      const before = snapshots.list();
      await snapshots.sync();
      snapshots = await open(root);
      assert.deepEqual(await snapshots.recover(), []);
      assert.deepEqual(
        [...snapshots.list()].sort((a, b) => (a.key < b.key ? -1 : 1)),
        [...before].sort((a, b) => (a.key < b.key ? -1 : 1)),
      );
      await look(snapshots.mounts('c'), (path) => assert.equal(readFileSync(join(path, 'a'), 'utf8'), '1'));
      await snapshots.prepare('d', base);
    });

    it('recover() removes what a crash left and nothing else', async () => {
      const base = await layer(1, '', (path) => writeFileSync(join(path, 'a'), '1'));
      await snapshots.prepare('c', base);
      await snapshots.prepare('extract-half', base);
      // A crash between the directories and the record, and one between a removal and its sweep.
      mkdirSync(join(root, 'zz', 'fs'), { recursive: true });
      mkdirSync(join(root, 'trash', 'old', 'fs'), { recursive: true });
      snapshots = await open(root);
      assert.deepEqual([...(await snapshots.recover())].sort(), [join(root, 'zz'), 'extract-half']);
      await snapshots.close();
      assert.ok(!existsSync(join(root, 'zz')));
      assert.deepEqual(readdirSync(join(root, 'trash')), []);
      assert.deepEqual(
        snapshots
          .list()
          .map(({ key }) => key)
          .sort(),
        ['c', base].sort(),
      );
    });
  });
}
