import assert from 'node:assert/strict';
import { test } from 'node:test';
import { styleOf } from '../term/style.ts';
import { explainUsage, freeables } from './explain.ts';
import { type DiskUsage, reclaimableText, usageRows } from './usage.ts';

const image = (Id: string, more: object) => ({ Id, Created: 0, Size: 100, SharedSize: 40, Containers: 0, ...more });
const USAGE: DiskUsage = {
  LayersSize: 1000,
  Images: [
    image('used', { RepoTags: ['a:1'], Containers: 1 }),
    image('idle', { RepoTags: ['b:1'] }),
    image('dangling', { RepoTags: [], RepoDigests: [] }),
  ],
  Containers: [
    { State: 'running', SizeRw: 10 },
    { State: 'exited', SizeRw: 30 },
  ] as unknown as NonNullable<DiskUsage['Containers']>,
  Volumes: [
    { Name: 'v', Driver: 'local', Scope: 'local', Mountpoint: '/v', UsageData: { RefCount: 0, Size: 7 } },
    { Name: 'w', Driver: 'local', Scope: 'local', Mountpoint: '/w', UsageData: { RefCount: 1, Size: 3 } },
  ],
  BuildCache: [],
};

test('usageRows() counts as docker does', () => {
  const rows = usageRows(USAGE);
  assert.deepEqual(
    rows.map(({ type, total, active, bytes }) => `${type} ${total} ${active} ${bytes}`),
    ['Images 3 1 1000', 'Containers 2 1 40', 'Local Volumes 2 1 10', 'Build Cache 0 0 0'],
  );
  assert.deepEqual(rows.map(reclaimableText), ['940B (94%)', '30B (75%)', '7B (70%)', '0B']);
});

test('freeables() name what can go, with the command and the loss', () => {
  assert.deepEqual(
    freeables(USAGE).map(({ what, bytes, command }) => `${bytes} ${what}: ${command}`),
    [
      '60 1 image without a name: wharf image prune',
      '30 1 stopped container: wharf container prune',
      '60 1 image that no container uses: wharf image prune --all',
      '7 1 volume that no container has: wharf volume prune --all',
    ],
  );
  const text = explainUsage(USAGE, styleOf({ isTerminal: false }));
  assert.match(text, /^1\.05kB in all\n/);
  assert.match(text, /their data is lost/);
  assert.match(explainUsage({}, styleOf({ isTerminal: false })), /Nothing can be freed/);
});
