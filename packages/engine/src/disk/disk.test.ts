import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { accountFor } from './account.ts';
import { type Candidate, parseCollectionConfig, planCollection } from './collection-plan.ts';
import { partOf, walkParts } from './walk.ts';

test('partOf() divides the rooms and leaves the rest whole', () => {
  assert.equal(partOf('snapshots/3/fs/bin/sh'), 'snapshots/3');
  assert.equal(partOf('content/blobs/sha256/ab'), 'content/blobs');
  assert.equal(partOf('tmp/x/y'), 'tmp');
  assert.equal(partOf('wharf.db'), 'wharf.db');
});

test('walkParts() counts blocks once, and accountFor() finds an owner for each part or says there is none', () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-disk-'));
  try {
    for (const path of [
      'snapshots/1/fs',
      'snapshots/9/fs',
      'volumes/data/_data',
      'volumes/lost',
      'containers/c1',
      'odd',
    ]) {
      mkdirSync(join(root, path), { recursive: true });
    }
    writeFileSync(join(root, 'snapshots/1/fs/big'), Buffer.alloc(100_000));
    linkSync(join(root, 'snapshots/1/fs/big'), join(root, 'snapshots/1/fs/again'));
    writeFileSync(join(root, 'volumes/data/_data/x'), Buffer.alloc(10_000));
    writeFileSync(join(root, 'odd/x'), 'x');
    for (const name of ['wharf.db', 'log-keeper', 'snapshots/overlay-works']) writeFileSync(join(root, name), 'x');
    const measured = walkParts(root);
    const account = accountFor(measured, {
      snapshots: new Map([['1', { key: 'c1', kind: 'active' }]]),
      volumes: new Set(['data']),
      containers: new Set(['c1']),
    });
    assert.equal(
      account.totalBytes,
      Object.values(measured).reduce((sum, bytes) => sum + bytes, 0),
    );
    const written = account.byKind['containers-written'] ?? 0;
    assert.ok(written >= 100_000 && written < 120_000, String(written));
    const kinds = Object.fromEntries(account.parts.map(({ path, kind }) => [path, kind]));
    assert.equal(kinds['snapshots/9'], 'unaccounted');
    assert.equal(kinds['volumes/lost'], 'unaccounted');
    assert.equal(kinds['odd'], 'unaccounted');
    assert.equal(kinds['volumes/data'], 'volumes');
    for (const name of ['wharf.db', 'log-keeper', 'snapshots/overlay-works']) assert.equal(kinds[name], 'books');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

const image = (id: string, lastUsedMs: number, more: Partial<Candidate> = {}): Candidate => ({
  ...{ kind: 'image', id, names: [`${id}:1`], bytes: 10, lastUsedMs },
  ...more,
});
const ids = (removals: readonly { readonly candidate: Candidate }[]) => removals.map(({ candidate }) => candidate.id);

test('planCollection() removes the least recently used first, down to the low mark, and never what is used', () => {
  const candidates = [
    image('new', 30),
    image('old', 10),
    image('used', 5, { keep: 'used by 1 container(s)' }),
    image('nameless', 20, { names: [] }),
  ];
  const config = { high: { share: 0.85 }, low: { share: 0.7 }, containers: false };
  const plan = planCollection({ totalBytes: 100, usedBytes: 90 }, candidates, config);
  assert.deepEqual(ids(plan.remove), ['nameless', 'old']);
  assert.deepEqual(ids(plan.keep).sort(), ['new', 'used']);
  assert.match(plan.keep.find(({ candidate }) => candidate.id === 'new')?.reason ?? '', /low mark is reached/);
  const calm = planCollection({ totalBytes: 100, usedBytes: 84 }, candidates, config);
  assert.deepEqual(calm.remove, []);
});

test('parseCollectionConfig() reads shares and sizes, and refuses what makes no sense', () => {
  assert.equal(parseCollectionConfig({}), undefined);
  assert.deepEqual(parseCollectionConfig({ high: '85%', low: '1.5GB', containers: 'true' }), {
    high: { share: 0.85 },
    low: { bytes: 1.5 * 2 ** 30 },
    containers: true,
  });
  for (const bad of [
    { low: '5%' },
    { high: '500%' },
    { high: 'much' },
    { high: '50%', low: '80%' },
    { high: '5%', x: '' },
  ]) {
    assert.throws(() => parseCollectionConfig(bad as Record<string, string>), /^WharfError: gc: /);
  }
});
