import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, isKind } from '@wharf/kit';
import { openMemoryStore } from '@wharf/store';
import { Directory } from '../access/directory.ts';
import { Catalog } from '../model/catalog.ts';
import type { Guard } from '../plug/guard.ts';
import { COLLECTOR } from '../upkeep/collect.ts';
import { LockGuard, lockTable } from './locks.ts';
import { QuotaGuard } from './quota.ts';
import { RateLimits } from './rate-limits.ts';

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest;
const refused = (error: unknown): boolean => isKind(error, 'permission-denied');

function registry() {
  const store = openMemoryStore();
  const now = (): number => 1_800_000_000_000;
  const guards: Guard[] = [];
  const catalog = new Catalog({ store, guards, now });
  const directory = new Directory({ store, now });
  directory.namespaces.put('team', {
    ...{ createdAt: 0, anonymousPull: false, members: {}, grants: [], quotaBytes: 1000 },
    immutable: [{ repository: 'team/**', tag: 'v*' }],
  });
  const quota = new QuotaGuard(directory, catalog);
  guards.push(new LockGuard(directory, store), quota);
  const link = (repository: string, letter: string, sizeBytes: number) =>
    catalog.linkBlob({ repository, digest: digest(letter), sizeBytes, by: 'ann', how: 'blob.push' });
  const tag = (repository: string, letter: string, name: string) => {
    const manifest = { mediaType: 'x', sizeBytes: 10, at: 0, by: 'ann', blobs: [], children: [] };
    catalog.putManifest({ repository, digest: digest(letter), manifest, tags: [name] });
  };
  return { store, catalog, quota, link, tag, identity: { name: 'ann', anonymous: false, allows: () => true } };
}

test('QuotaGuard counts content once for all repositories of a namespace, and gives back what is deleted', () => {
  const { catalog, link, identity } = registry();
  link('team/a', 'a', 600);
  link('team/b', 'a', 600);
  assert.equal(catalog.bytesOfNamespace('team'), 600);
  assert.throws(() => link('team/b', 'b', 401), refused);
  assert.equal(catalog.link('team/b', digest('b')), undefined);
  link('team/b', 'b', 400);
  link('other/x', 'c', 5000);
  catalog.unlinkBlob({ repository: 'team/a', digest: digest('a'), identity });
  assert.equal(catalog.bytesOfNamespace('team'), 1000);
  catalog.unlinkBlob({ repository: 'team/b', digest: digest('a'), identity });
  assert.equal(catalog.bytesOfNamespace('team'), 400);
});

test('QuotaGuard tells once that a namespace is nearly full, and again when it has been emptied meanwhile', async () => {
  const { catalog, link, identity } = registry();
  const told = async () => {
    await Promise.resolve();
    return catalog.events
      .read({ after: 0, limit: 100 })
      .filter(({ value }) => value.kind === 'x-quota')
      .map(({ value }) => [value.repository, value.details?.['state'], value.details?.['usedBytes']]);
  };
  link('team/a', 'a', 799);
  assert.deepEqual(await told(), []);
  link('team/a', 'b', 1);
  link('team/a', 'c', 1);
  assert.deepEqual(await told(), [['team', 'nearly full', 800]]);
  catalog.unlinkBlob({ repository: 'team/a', digest: digest('a'), identity });
  link('team/a', 'd', 10);
  link('team/a', 'e', 888);
  assert.deepEqual((await told()).at(-1), ['team', 'nearly full', 900]);
  assert.throws(() => link('team/a', 'f', 101), refused);
  assert.deepEqual((await told()).at(-1), ['team', 'exceeded', 900]);
});

test('QuotaGuard.duringUpload() reserves, so that of several pushes at once those that cannot fit are refused early', () => {
  const { quota, link } = registry();
  quota.duringUpload({ repository: 'team/a', id: 'one', sizeBytes: 700 });
  assert.throws(() => quota.duringUpload({ repository: 'team/b', id: 'two', sizeBytes: 301 }), refused);
  quota.duringUpload({ repository: 'team/b', id: 'three', sizeBytes: 300 });
  assert.throws(() => quota.beforeUpload({ repository: 'team/b', sizeBytes: undefined, identity: COLLECTOR }), refused);
  quota.afterUpload({ id: 'one' });
  quota.duringUpload({ repository: 'team/b', id: 'two', sizeBytes: 301 });
  quota.afterUpload({ id: 'two' });
  quota.afterUpload({ id: 'three' });
  link('team/a', 'a', 1000);
  assert.throws(() => quota.beforeUpload({ repository: 'team/b', sizeBytes: undefined, identity: COLLECTOR }), refused);
});

test('LockGuard keeps tags that are set once, and what is locked', () => {
  const { store, catalog, tag, link, identity } = registry();
  tag('team/a', 'a', 'v1');
  tag('team/a', 'a', 'v1');
  assert.throws(() => tag('team/a', 'b', 'v1'), refused);
  assert.throws(() => catalog.deleteTag({ repository: 'team/a', tag: 'v1', identity }), refused);
  assert.throws(() => catalog.deleteManifest({ repository: 'team/a', digest: digest('a'), identity }), refused);
  tag('team/a', 'c', 'latest');
  tag('team/a', 'b', 'latest');
  lockTable(store).put('team/a:latest', { write: true, delete: true });
  assert.throws(() => tag('team/a', 'c', 'latest'), refused);
  assert.throws(() => catalog.deleteTag({ repository: 'team/a', tag: 'latest', identity }), refused);
  assert.equal(catalog.tag('team/a', 'latest')?.digest, digest('b'));
  lockTable(store).put('team/b', { write: true, delete: false });
  assert.throws(() => link('team/b', 'd', 1), refused);
  lockTable(store).put(`team/c@${digest('e')}`, { write: true, delete: true });
  tag('team/c', 'e', 'latest');
  assert.throws(() => tag('team/c', 'f', 'latest'), refused);
  assert.throws(() => catalog.deleteManifest({ repository: 'team/c', digest: digest('e'), identity }), refused);
});

test('RateLimits.admit() lets a burst pass, then as many as time allows, and says when to come again', () => {
  let time = 0;
  const rates = new RateLimits({ perAddress: { requests: 3, perSeconds: 30 } }, () => time);
  const ask = (address: string) => rates.admit({ kind: 'anonymous', name: 'anonymous' }, address);
  for (let number = 0; number < 3; number += 1) ask('one');
  assert.throws(
    () => ask('one'),
    (error: unknown) =>
      error instanceof Error && /try again in 10 s/.test(error.message) && isKind(error, 'resource-exhausted'),
  );
  ask('another');
  time += 10_000;
  ask('one');
  assert.throws(() => ask('one'));
});
