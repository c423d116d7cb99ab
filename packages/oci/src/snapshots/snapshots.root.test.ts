import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { type ChainId, isKind, nullLogger } from '@wharf/kit';
import { layerPool } from '../workers/pool.ts';
import { openSnapshotter } from './open.ts';
import { testSnapshotter } from './testsuite.ts';
import { TreeSnapshotter } from './tree-snapshotter.ts';

after(() => layerPool.close());

testSnapshotter('overlay snapshotter', (root) => openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' }));
testSnapshotter('copy snapshotter', (root) => openSnapshotter({ root, log: nullLogger, driver: 'copy' }));

const chain = (digit: string): ChainId => `sha256:${digit.repeat(64)}` as ChainId;

async function inTemporary(work: (root: string) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'wharf-snap-'));
  try {
    await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

it('openSnapshotter() keeps to the driver that was used before', () =>
  inTemporary(async (root) => {
    await (await openSnapshotter({ root, log: nullLogger, driver: 'copy' })).close();
    assert.equal((await openSnapshotter({ root, log: nullLogger })).name, 'copy');
    await assert.rejects(openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' }), (error) =>
      isKind(error, 'failed-precondition'),
    );
  }));

it('commit() puts layers unpacked apart onto each other', () =>
  inTemporary(async (root) => {
    const snapshots = await openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' });
    for (const key of ['extract-a', 'extract-b']) {
      await snapshots.prepare(key, '');
      writeFileSync(join(snapshots.layerDir(key), key), '');
    }
    await assert.rejects(snapshots.commit(chain('b'), 'extract-b', { parent: chain('a') }), (error) =>
      isKind(error, 'not-found'),
    );
    await snapshots.commit(chain('a'), 'extract-a');
    await snapshots.commit(chain('b'), 'extract-b', { parent: chain('a') });
    assert.deepEqual(
      snapshots.layerDirs(chain('b')).map((path) => readdirSync(path)),
      [['extract-b'], ['extract-a']],
    );
    await snapshots.close();
  }));

it('stat() tells of a layer that has files of others, also after a restart', () =>
  inTemporary(async (root) => {
    const snapshots = await openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' });
    await snapshots.prepare('build-a', '');
    await snapshots.commit(chain('a'), 'build-a', { linked: true });
    await snapshots.prepare('build-b', chain('a'));
    await snapshots.commit(chain('b'), 'build-b');
    await snapshots.close();
    const again = await openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' });
    assert.deepEqual(
      ['a', 'b'].map((digit) => again.stat(chain(digit))?.linked),
      [true, undefined],
    );
    await again.close();
  }));

it('recover() drops committed data of another boot that was never written back', () =>
  inTemporary(async (root) => {
    const open = async (bootId: string): Promise<TreeSnapshotter> => {
      const snapshots = new TreeSnapshotter({ name: 'overlayfs', root, log: nullLogger, bootId });
      await snapshots.load();
      return snapshots;
    };
    const first = await open('one');
    await first.prepare('extract-a', '');
    await first.commit(chain('a'), 'extract-a');
    await first.sync();
    await first.prepare('extract-b', chain('a'));
    await first.commit(chain('b'), 'extract-b');
    await first.prepare('c', chain('b'));
    assert.deepEqual(await (await open('one')).recover(), []);
    const second = await open('two');
    assert.deepEqual(await second.recover(), [chain('b')]);
    assert.deepEqual(
      second
        .list()
        .map(({ key }) => key)
        .sort(),
      ['c', chain('a')].sort(),
    );
    // Unpacked again, it carries the container again.
    await second.prepare('extract-b', chain('a'));
    await second.commit(chain('b'), 'extract-b');
    assert.equal(second.layerDirs('c').length, 3);
    await second.close();
  }));

it('load() takes a record that cannot be read for a remnant', () =>
  inTemporary(async (root) => {
    const snapshots = await openSnapshotter({ root, log: nullLogger });
    await snapshots.prepare('c', '');
    await snapshots.close();
    const [directory = ''] = readdirSync(root).filter((name) => /^\d$/.test(name));
    const path = join(root, directory, 'meta');
    assert.match(readlinkSync(path), /"key":"c"/);
    rmSync(path);
    symlinkSync('{"key":', path);
    const again = await openSnapshotter({ root, log: nullLogger });
    assert.equal(again.stat('c'), undefined);
    assert.deepEqual(await again.recover(), [join(root, directory)]);
    await again.close();
  }));

it('prepare() and sync() on a full disk fail in words, and work again when there is room', () =>
  inTemporary(async (root) => {
    // Few inodes are soon used up.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=40', 'tmpfs', root]);
    try {
      const snapshots = await openSnapshotter({ root, log: nullLogger, driver: 'overlayfs' });
      await snapshots.prepare('extract-a', '');
      await snapshots.commit(chain('a'), 'extract-a');
      for (let index = 0, free = true; free; index++) free = tryWrite(join(root, `ballast-${index}`));
      await assert.rejects(
        snapshots.prepare('c', chain('a')),
        (error) =>
          isKind(error, 'resource-exhausted') && error.message.startsWith('Cannot prepare snapshot "c": no space'),
      );
      assert.equal(snapshots.stat('c'), undefined);
      await assert.rejects(snapshots.sync(), /ENOSPC/);
      for (const name of readdirSync(root)) if (name.startsWith('ballast')) rmSync(join(root, name));
      await snapshots.sync();
      await snapshots.prepare('c', chain('a'));
      await snapshots.close();
    } finally {
      execFileSync('umount', ['-l', root]);
    }
  }));

function tryWrite(path: string): boolean {
  try {
    writeFileSync(path, '');
    return true;
  } catch {
    return false;
  }
}
