import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HttpClient } from '@wharf/wire/http/client';
import { ROOT } from '../scripts/lib/root.ts';
import { must } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
});
after(() => daemon.dispose());

interface Account {
  readonly totalBytes: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly parts: readonly { readonly path: string; readonly kind: string; readonly owner?: string }[];
}
interface Plan {
  readonly remove: readonly { readonly candidate: { readonly names: readonly string[] }; readonly reason: string }[];
  readonly keep: readonly { readonly candidate: { readonly names: readonly string[] }; readonly reason: string }[];
}

async function ask<T>(path: string, method = 'GET'): Promise<T> {
  const answer = await new HttpClient(daemon.host).request({ path, method });
  assert.equal(answer.status, 200, answer.text);
  return answer.json() as T;
}

const names = (list: Plan['remove']) => list.flatMap(({ candidate }) => candidate.names);

test('every byte below the data root has an owner, and together they are what du says', async () => {
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'writer',
    '-v',
    'data:/data',
    BUSYBOX,
    'sh',
    '-c',
    'seq 100000 > /f; seq 50000 > /data/f; echo done; sleep 1000',
  );
  await eventually('it has written', async () => (await daemon.ok('logs', 'writer')).includes('done'));
  await must(['sync', '-f', daemon.dataRoot]);
  const account = await ask<Account>('/wharf/disk');
  const measured = Number.parseInt(await must(['du', '-sxB1', daemon.dataRoot]), 10);
  assert.ok(Math.abs(account.totalBytes - measured) <= measured / 100, `${account.totalBytes} is not ${measured}`);
  assert.deepEqual(
    account.parts.filter(({ kind }) => kind === 'unaccounted'),
    [],
  );
  const id = (await daemon.ok('inspect', '-f', '{{.Id}}', 'writer')).trim();
  const owners = new Map(account.parts.map(({ kind, owner }) => [kind, owner]));
  assert.equal(owners.get('containers-written'), id);
  assert.equal(owners.get('volumes'), 'data');
});

test('what nobody owns is named, and a start takes away what a crash left of each kind', async () => {
  const at = (...path: string[]) => join(daemon.dataRoot, ...path);
  await daemon.kill();
  // A snapshot without a record, one of a layer half unpacked, one thrown away but not deleted.
  mkdirSync(at('snapshots/zz/fs'), { recursive: true });
  writeFileSync(at('snapshots/zz/fs/orphan'), Buffer.alloc(50_000));
  mkdirSync(at('snapshots/zy/fs'), { recursive: true });
  const record = { key: 'extract-1', kind: 'active', parent: '', createdAt: '2026-01-01T00:00:00Z' };
  symlinkSync(JSON.stringify(record), at('snapshots/zy/meta'));
  mkdirSync(at('snapshots/trash/old/fs'), { recursive: true });
  // A container's snapshot and directory without a container.
  const lost = 'f'.repeat(64);
  mkdirSync(at('snapshots/zx/fs'), { recursive: true });
  symlinkSync(JSON.stringify({ ...record, key: lost }), at('snapshots/zx/meta'));
  mkdirSync(at('containers', lost));
  writeFileSync(at('containers', lost, 'hostname'), 'x');
  // A volume half made, one half removed, one whole without a record.
  mkdirSync(at('volumes/half'));
  mkdirSync(at('volumes/.removing-1234/_data'), { recursive: true });
  mkdirSync(at('volumes/found/_data'), { recursive: true });
  writeFileSync(at('volumes/found/_data/precious'), 'x');
  // A download that will not go on, and something nobody knows.
  mkdirSync(at('content/ingest'), { recursive: true });
  writeFileSync(at('content/ingest/left'), Buffer.alloc(50_000));
  writeFileSync(at('stray'), 'x');
  await daemon.start();
  await eventually('what a crash left is gone', async () => {
    const { parts } = await ask<Account>('/wharf/disk');
    const left = parts.filter(({ kind }) => ['unaccounted', 'being-deleted'].includes(kind)).map(({ path }) => path);
    return (
      left.every((path) => path === 'stray' || path === 'snapshots/trash') &&
      readdirSync(at('snapshots/trash')).length === 0
    );
  });
  for (const name of ['zz', 'zy', 'zx']) assert.ok(!readdirSync(at('snapshots')).includes(name), name);
  assert.deepEqual(readdirSync(at('content/ingest')), []);
  assert.ok(!readdirSync(at('containers')).includes(lost));
  // Data is never thrown away: it becomes a volume again.
  assert.equal(await daemon.ok('run', '--rm', '-v', 'found:/d', BUSYBOX, 'ls', '/d'), 'precious');
  await eventually('only what nobody knows is left over', async () => {
    const { parts } = await ask<Account>('/wharf/disk');
    return parts.every(({ kind, path }) => kind !== 'unaccounted' || path === 'stray');
  });
});

test('a collection says what it would remove and why, and removes that', async () => {
  for (const tag of ['first', 'second', 'third']) {
    await loadBusybox(daemon.host, {
      reference: `gc:${tag}`,
      layers: [[{ path: tag, content: Buffer.alloc(200_000, tag) }]],
    });
  }
  await daemon.ok('run', '--rm', 'gc:first', 'true');
  await daemon.ok('create', '--name', 'holder', 'gc:third', 'true');
  const everything = await ask<Plan>('/wharf/gc?high=1KB');
  assert.deepEqual(names(everything.remove), ['gc:second', 'gc:first']);
  assert.match(everything.remove[0]?.reason ?? '', /not used by any container since/);
  assert.match(
    everything.keep.find(({ candidate }) => candidate.names.includes('gc:third'))?.reason ?? '',
    /used by 1/,
  );
  assert.match(
    everything.keep.find(({ candidate }) => candidate.names.includes('holder'))?.reason ?? '',
    /stopped containers stay/,
  );
  const calm = await ask<Plan>('/wharf/gc?high=100%25');
  assert.deepEqual(calm.remove, []);

  const removed = await ask<{ removed: readonly unknown[] }>('/wharf/gc?high=1KB', 'POST');
  assert.equal(removed.removed.length, 2);
  assert.deepEqual(
    (await daemon.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n').sort(),
    [BUSYBOX, 'gc:third'].sort(),
  );
  const refused = await new HttpClient(daemon.host).request({ path: '/wharf/gc', method: 'POST' });
  assert.equal(refused.status, 400);
});

test('wharf disk shows the same to people', async () => {
  const shown = await must([join(ROOT, 'bin/wharf'), '--host', daemon.host, 'disk']);
  assert.match(shown, /image-layers/);
  assert.match(shown, /in all/);
});

test('where it is asked for, room is made by itself, and said', async () => {
  await using tidy = await TestDaemon.start({ arguments: ['--gc-opt', 'high=1KB'] });
  await loadBusybox(tidy.host);
  await loadBusybox(tidy.host, { reference: 'kept:1', layers: [[{ path: 'x', content: 'x' }]] });
  await tidy.ok('create', 'kept:1', 'true');
  await tidy.crash();
  await eventually('what nobody uses is gone', async () => (await tidy.ok('images', '-q', BUSYBOX)) === '');
  assert.match(await tidy.ok('images'), /kept/);
  await eventually('the log says why', async () =>
    /removed to make room on the disk.*not used by any container/.test(tidy.log),
  );
  await eventually('an event tells of it', async () =>
    /gc .*removed=1/.test(await tidy.ok('events', '--since', '1m', '--until', '0s', '--filter', 'type=daemon')),
  );
});
