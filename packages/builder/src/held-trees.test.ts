import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainId } from '@wharf/kit';
import type { SnapshotInfo } from '@wharf/oci/snapshots/snapshotter';
import { HeldTrees } from './held-trees.ts';
import type { ImageLease } from './interfaces.ts';

const chain = (name: string): ChainId => `sha256:${name}` as ChainId;
/** `top` stands on `middle`, that on `base`; `other` on `base`. */
const parents = new Map([
  [chain('top'), chain('middle')],
  [chain('middle'), chain('base')],
  [chain('other'), chain('base')],
]);
const snapshots = {
  stat: (key: string): SnapshotInfo => ({
    key,
    kind: 'committed',
    parent: parents.get(key as ChainId) ?? '',
    createdAt: '',
  }),
};

test('HeldTrees.all() has what leases keep, with all below, until the last of them is disposed of', () => {
  const held = new HeldTrees();
  const kept: string[] = [];
  const lease = () =>
    held.watch({
      keepSnapshot: (id: ChainId) => kept.push(id),
      [Symbol.dispose]: () => undefined,
    } as unknown as ImageLease);
  const [first, second] = [lease(), lease()];
  first.keepSnapshot(chain('top'));
  first.keepSnapshot(chain('top'));
  second.keepSnapshot(chain('top'));
  second.keepSnapshot(chain('other'));
  assert.deepEqual(kept.length, 4);
  assert.deepEqual([...held.all(snapshots)].sort(), ['base', 'middle', 'other', 'top'].map(chain));
  second[Symbol.dispose]();
  assert.deepEqual([...held.all(snapshots)].sort(), ['base', 'middle', 'top'].map(chain));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  assert.equal(held.all(snapshots).size, 0);
});
