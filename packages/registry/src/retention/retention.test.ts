import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, isKind } from '@wharf/kit';
import { openMemoryStore } from '@wharf/store';
import { Directory } from '../access/directory.ts';
import type { RetentionRule } from '../access/records.ts';
import { Catalog } from '../model/catalog.ts';
import type { Guard } from '../plug/guard.ts';
import { LockGuard, lockTable } from '../policy/locks.ts';
import { Pulls } from './pulls.ts';
import { applyRetention } from './retention.ts';
import { Trash } from './trash.ts';

const DAY = 86_400_000;
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;

function registry(
  options: { readonly rules?: readonly Omit<RetentionRule, 'id'>[]; readonly softDeleteMs?: number } = {},
) {
  let time = 1_800_000_000_000;
  const now = (): number => time;
  const store = openMemoryStore();
  const guards: Guard[] = [];
  const catalog = new Catalog({ store, guards, now });
  const directory = new Directory({ store, now });
  const { rules = [], ...rest } = options;
  const retention = rules.map((rule, id) => ({ id, ...rule }));
  directory.namespaces.put('team', { createdAt: 0, anonymousPull: false, members: {}, grants: [], retention, ...rest });
  const trash = new Trash({ store, directory, catalog });
  guards.push(new LockGuard(directory, store), trash);
  const pulls = new Pulls(store, now);
  const push = (letter: string, tags: readonly string[], blobs: readonly Digest[] = []) => {
    const manifest = { mediaType: 'x', sizeBytes: 10, at: time, by: 'ann', blobs, children: [] };
    catalog.putManifest({ repository: 'team/a', digest: digest(letter), manifest, tags });
  };
  const tags = (): string => catalog.listTags('team/a', { limit: 100 }).join(' ');
  const run = (dryRun = false) => applyRetention({ directory, catalog, pulls }, { dryRun });
  const identity = { name: 'ann', anonymous: false, allows: () => true };
  const advance = (ms: number): void => {
    time += ms;
  };
  return { store, catalog, trash, pulls, push, tags, run, advance, identity };
}

test('applyRetention() keeps by number, by age and by last pull, and touches no tag that fits no rule', async () => {
  const { push, tags, run, advance, pulls } = registry({
    rules: [{ repository: 'team/**', tags: 'ci-*', keepLast: 1, keepPulledMs: 5 * DAY }],
  });
  push('a', ['ci-1', 'latest']);
  advance(DAY);
  push('b', ['ci-2']);
  advance(DAY);
  push('c', ['ci-3']);
  advance(DAY);
  push('d', ['ci-4']);
  assert.equal((await run()).removed.length, 0, 'what was just pushed counts as pulled');
  advance(4 * DAY + 1);
  pulls.pulled('team/a', digest('b'), 'ci-2');
  const plan = await run(true);
  assert.deepEqual(
    plan.removed.map(({ tag }) => tag),
    ['ci-3', 'ci-1'],
  );
  assert.equal(tags(), 'ci-1 ci-2 ci-3 ci-4 latest', 'a dry run changes nothing');
  await run();
  assert.equal(tags(), 'ci-2 ci-4 latest');
});

test('applyRetention() removes untagged manifests after a while, and says what a lock keeps', async () => {
  const { store, catalog, push, run, advance } = registry({ rules: [{ repository: 'team/*', untaggedMs: 2 * DAY }] });
  push('a', ['latest']);
  push('b', ['latest']);
  push('c', []);
  lockTable(store).put(`team/a@${digest('c')}`, { write: false, delete: true });
  assert.equal((await run()).removed.length, 0);
  advance(2 * DAY);
  const { removed, kept } = await run();
  assert.deepEqual(
    removed.map((each) => each.digest),
    [digest('a')],
  );
  assert.deepEqual(
    kept.map((each) => each.digest),
    [digest('c')],
  );
  assert.equal(catalog.manifest('team/a', digest('b'))?.sizeBytes, 10);
});

test('Trash keeps a deleted image with its tags and blobs until its time is over', () => {
  const { catalog, trash, push, tags, advance, identity } = registry({ softDeleteMs: DAY });
  const blob = digest('f');
  catalog.linkBlob({ repository: 'team/a', digest: blob, sizeBytes: 5, by: 'ann', how: 'blob.push' });
  push('a', ['one', 'two'], [blob]);
  catalog.deleteManifest({ repository: 'team/a', digest: digest('a'), identity });
  assert.equal(tags(), '');
  assert.equal(trash.records.size, 1, 'its tags lie with it');
  assert.ok(catalog.isNeeded('team/a', blob) && catalog.isKept(digest('a')) && catalog.isKept(blob));
  push('b', ['two']);
  assert.deepEqual(trash.restore(`team/a@${digest('a')}`), {
    repository: 'team/a',
    digest: digest('a'),
    tags: ['one'],
  });
  assert.equal(catalog.tag('team/a', 'two')?.digest, digest('b'), 'what was set anew stays');
  assert.equal(trash.records.size, 0);
  assert.equal(catalog.isKept(blob), false);
  catalog.deleteManifest({ repository: 'team/a', digest: digest('a'), identity });
  advance(DAY);
  assert.equal(trash.purge(), 1);
  assert.ok(!catalog.isKept(blob) && !catalog.isNeeded('team/a', blob));
  assert.throws(
    () => trash.restore(`team/a@${digest('a')}`),
    (error) => isKind(error, 'not-found'),
  );
});

test('Trash.restore() brings back a tag alone, with its image when that was deleted later', () => {
  const { catalog, trash, push, tags, identity } = registry({ softDeleteMs: DAY });
  push('a', ['one', 'two']);
  catalog.deleteTag({ repository: 'team/a', tag: 'one', identity });
  assert.equal(tags(), 'two');
  catalog.deleteManifest({ repository: 'team/a', digest: digest('a'), identity });
  trash.restore('team/a:one');
  assert.equal(tags(), 'one');
  assert.throws(
    () => trash.restore('team/a:one'),
    (error) => isKind(error, 'not-found'),
  );
});

test('a deletion that a lock refuses leaves nothing in the trash', () => {
  const { store, catalog, trash, push, identity } = registry({ softDeleteMs: DAY });
  push('a', ['one']);
  lockTable(store).put('team/a:one', { write: false, delete: true });
  assert.throws(
    () => catalog.deleteManifest({ repository: 'team/a', digest: digest('a'), identity }),
    (error) => isKind(error, 'permission-denied'),
  );
  assert.equal(trash.records.size, 0);
  assert.equal(catalog.kept.size, 0);
});
