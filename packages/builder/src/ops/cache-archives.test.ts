import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { StepMount } from '../plan/vertex.ts';
import { CacheDirectories } from './cache-directories.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-caches-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const { signal } = new AbortController();

function mount(id: string): StepMount {
  return {
    ...{ type: 'cache', id, target: '/c', source: '', from: '', readOnly: false, sharing: 'shared', required: false },
    ...{ sizeBytes: 0, mode: undefined, uid: undefined, gid: undefined, env: undefined, sourceVertex: undefined },
  };
}

function opened(): CacheDirectories {
  return new CacheDirectories(mkdtempSync(join(scratch, 'root-')));
}

const content = (text: string) => (path: string) => writeFile(join(path, 'file'), text);
const readFile = async (path: string) => readFileSync(join(path, 'file'), 'utf8');
const options = { fill: async () => undefined, signal };

test('replace() puts a whole directory under an id, which list() names and read() and steps see', async () => {
  const caches = opened();
  await assert.rejects(caches.read('pip', signal, readFile), { kind: 'not-found', message: 'No such cache: pip' });
  await caches.replace('pip', signal, content('one'));
  await caches.replace('pip', signal, content('two'));
  assert.equal(await caches.read('pip', signal, readFile), 'two');
  assert.equal(await caches.use(mount('pip'), options, readFile), 'two');
  assert.deepEqual(
    (await caches.list()).map(({ id, inUse }) => ({ id, inUse })),
    [{ id: 'pip', inUse: false }],
  );
});

test('replace() leaves what is there when it fails half-way, and nothing of its own', async () => {
  const caches = opened();
  await caches.replace('npm', signal, content('kept'));
  const fail = async (path: string) => {
    await content('half')(path);
    throw new Error('the archive is broken');
  };
  await assert.rejects(caches.replace('npm', signal, fail), /broken/);
  assert.equal(await caches.read('npm', signal, readFile), 'kept');
  assert.equal(readdirSync(caches.root).filter((name) => name !== '.ids').length, 1);
});

test('read() waits for the steps that have a directory, and steps wait for it', async () => {
  const caches = opened();
  await caches.replace('go', signal, content('begun'));
  const [has, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const order: string[] = [];
  const step = caches.use(mount('go'), options, async (path) => {
    has.resolve();
    await mayEnd.promise;
    // The same step may take it a second time, for another of its mounts.
    await caches.use(mount('go'), options, content('whole'));
    order.push(`step ${await readFile(path)}`);
  });
  await has.promise;
  const reading = caches.read('go', signal, async (path) => {
    order.push(`read ${await readFile(path)}`);
    const next = caches.use(mount('go'), options, async () => order.push('next step'));
    assert.equal(caches.isTaken((await caches.list())[0]?.name ?? ''), true);
    order.push('read to the end');
    return { next };
  });
  mayEnd.resolve();
  await step;
  await (await reading).next;
  assert.deepEqual(order, ['step whole', 'read whole', 'read to the end', 'next step']);
});

test('read() gives up when its client does, while a step has the directory', async () => {
  const caches = opened();
  await caches.replace('x', signal, content('x'));
  const leaving = new AbortController();
  const [has, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const step = caches.use(mount('x'), options, async () => {
    has.resolve();
    await mayEnd.promise;
  });
  await has.promise;
  const reading = caches.read('x', leaving.signal, readFile);
  leaving.abort(new Error('left'));
  await assert.rejects(reading, /left/);
  mayEnd.resolve();
  await step;
});
