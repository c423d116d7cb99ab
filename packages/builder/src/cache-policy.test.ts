import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildkitFilter, dockerFilter } from './cache-filter.ts';
import { bytesToKeep, choose, defaultPolicy, NO_BOUNDS } from './cache-policy.ts';
import type { CacheEntry } from './cache-usage.ts';

const base: CacheEntry = {
  ...{ id: 'a', parent: '', kind: 'regular', description: 'RUN make', shared: false, inUse: false },
  ...{ sizeBytes: 100, createdAt: 0, lastUsedAt: 0, uses: 0 },
};
const entry = (id: string, given: Partial<CacheEntry> = {}): CacheEntry => ({ ...base, id, ...given });
const everything = { all: false, filter: { matches: () => true }, keepBytes: undefined };
const ids = (entries: readonly CacheEntry[]) => entries.map(({ id }) => id).join(' ');
const used = (entries: readonly CacheEntry[]) => entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);

test('choose() takes the least recently used first, and no step before what stands on it', () => {
  const entries = [
    entry('floor', { lastUsedAt: 1 }),
    entry('top', { lastUsedAt: 5, parent: 'floor' }),
    entry('other', { lastUsedAt: 3 }),
  ];
  assert.equal(ids(choose(entries, { ...everything, usedBytes: 300 })), 'other top floor');
  assert.equal(ids(choose(entries, { ...everything, usedBytes: 300, keepBytes: 150 })), 'other top');
});

test('choose() leaves what is in use, what images share unless all is meant, and what was used since', () => {
  const entries = [
    entry('used', { inUse: true }),
    entry('shared', { shared: true }),
    entry('fresh', { lastUsedAt: 9 }),
    entry('old', { lastUsedAt: 2 }),
  ];
  const filter = { matches: () => true, unusedSince: 5 };
  assert.equal(ids(choose(entries, { ...everything, filter, usedBytes: 300 })), 'old');
  assert.equal(ids(choose(entries, { ...everything, all: true, usedBytes: 300 })), 'shared old fresh');
});

test('bytesToKeep() follows BuildKit: a ceiling, room on the disk, and what is reserved', () => {
  assert.equal(bytesToKeep(NO_BOUNDS, 1000, 0), undefined);
  assert.equal(bytesToKeep({ ...NO_BOUNDS, maxUsedBytes: 600 }, 1000, 0), 600);
  assert.equal(bytesToKeep({ ...NO_BOUNDS, minFreeBytes: 300 }, 1000, 100), 800);
  assert.equal(bytesToKeep({ ...NO_BOUNDS, minFreeBytes: 300 }, 1000, 400), 1000);
  assert.equal(bytesToKeep({ reservedBytes: 900, maxUsedBytes: 600, minFreeBytes: 0 }, 1000, 0), 900);
  assert.equal(bytesToKeep({ reservedBytes: 50, maxUsedBytes: 600, minFreeBytes: 5000 }, 1000, 0), 50);
});

test('defaultPolicy() gives up contexts and mounts after two days, then the rest beyond its bounds', () => {
  const now = 100 * 24 * 3_600_000;
  const rules = defaultPolicy({ ...NO_BOUNDS, maxUsedBytes: 250 }, 1e12);
  const days = (count: number) => now - count * 24 * 3_600_000;
  const entries = [
    entry('context', { kind: 'source.local', lastUsedAt: days(3), sizeBytes: 600_000_000 }),
    entry('ancient', { lastUsedAt: days(70) }),
    entry('recent', { lastUsedAt: days(1) }),
    entry('newest', { lastUsedAt: days(0) }),
  ];
  let left: readonly CacheEntry[] = entries;
  const gone = rules.map((rule) => {
    const filter = rule.filter(now);
    const chosen = choose(left, {
      ...rule,
      filter,
      usedBytes: used(left),
      keepBytes: bytesToKeep(rule, used(left), 0),
    });
    left = left.filter((each) => !chosen.includes(each));
    return ids(chosen);
  });
  assert.deepEqual(gone, ['context', 'ancient', '', '']);
});

test('dockerFilter() and buildkitFilter() say which entries are meant', () => {
  const step = entry('abcd', { parent: 'p', lastUsedAt: 1000 });
  const mount = entry('ffff', { kind: 'exec.cachemount', inUse: true, shared: true });
  const docker = (...pairs: readonly [string, string][]) =>
    [step, mount].filter(dockerFilter(new Map(pairs.map(([name, value]) => [name, [value]])), 0).matches);
  assert.equal(ids(docker(['id', 'bc'])), 'abcd');
  assert.equal(ids(docker(['type', 'exec.cachemount'])), 'ffff');
  assert.equal(ids(docker(['shared', 'false'])), 'abcd');
  assert.equal(ids(docker(['inuse', '1'])), 'ffff');
  assert.equal(ids(docker(['parent', 'p'])), 'abcd');
  assert.equal(dockerFilter(new Map([['until', ['2s']]]), 5000).unusedSince, 3000);
  for (const bad of ['nonsense', 'until'])
    assert.throws(() => dockerFilter(new Map([[bad, ['x y']]]), 0), { kind: 'invalid-argument' });
  const buildkit = (...filters: readonly string[]) => [step, mount].filter(buildkitFilter(filters, undefined).matches);
  assert.equal(ids(buildkit()), 'abcd ffff');
  assert.equal(ids(buildkit('type==regular,description~=make')), 'abcd');
  assert.equal(ids(buildkit('id~=^ff', 'parents==p')), 'abcd ffff');
  assert.equal(ids(buildkit('mutable')), 'ffff');
  assert.equal(ids(buildkit('type!="regular"')), 'ffff');
  assert.throws(() => buildkit('colour==red'), /unknown field/);
});
