import assert from 'node:assert/strict';
import {
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
import { test } from 'node:test';
import { S } from '@wharf/linux/fsx';
import { MAX_KEPT_CONTEXTS } from '../limits.ts';
import { writeIndex } from './context-index.ts';
import { type ContextPlace, KeptContexts } from './kept-contexts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-contexts-'));
// Not in after(): an idle thread of the worker pool does not hold the process open, which may end before.
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
const { signal } = new AbortController();

/** What a client sent: one file. */
function fill({ tree, index, bootId }: ContextPlace, text: string): void {
  writeFileSync(join(tree, 'file'), text);
  const entry = { mode: S.IFREG | 0o644, sizeBytes: text.length, mtimeNs: 1n, link: '', digest: text };
  writeIndex(index, bootId, new Map([['file', entry]]));
}

const textIn = ({ tree }: ContextPlace): string => readFileSync(join(tree, 'file'), 'utf8');

test('KeptContexts lends the tree of a directory again, and drops those that were not used for longest', async () => {
  const root = join(scratch, 'kept');
  const contexts = new KeptContexts(root);
  {
    await using place = await contexts.take('a', signal);
    fill(place, 'one');
  }
  {
    await using again = await contexts.take('a', signal);
    assert.equal(textIn(again), 'one');
    assert.deepEqual(
      (await contexts.list()).map(({ inUse, uses }) => [inUse, uses]),
      [[true, 2]],
    );
  }
  for (let number = 0; number < MAX_KEPT_CONTEXTS; number++) {
    await using place = await contexts.take(`n${number}`, signal);
    fill(place, 'x');
  }
  assert.equal(readdirSync(root).length, MAX_KEPT_CONTEXTS);
  await using fresh = await contexts.take('a', signal);
  assert.ok(!existsSync(fresh.index));
});

test('KeptContexts gives a second build a linked copy, once the first has its files, that does not stay', async () => {
  const root = join(scratch, 'shared');
  const contexts = new KeptContexts(root);
  const first = await contexts.take('a', signal);
  const waiting = contexts.take('a', signal);
  fill(first, 'one');
  first.received();
  const second = await waiting;
  assert.notEqual(second.tree, first.tree);
  assert.equal(statSync(join(second.tree, 'file')).ino, statSync(join(first.tree, 'file')).ino);
  assert.ok(existsSync(second.index));
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  assert.equal(readdirSync(root).length, 1);
});

test('KeptContexts.take() goes on when the build before failed, and ends with its signal', async () => {
  const contexts = new KeptContexts(join(scratch, 'failing'));
  const first = await contexts.take('a', signal);
  const abort = new AbortController();
  const impatient = contexts.take('a', abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(impatient, /enough/);
  const next = contexts.take('a', signal);
  await first[Symbol.asyncDispose]();
  await using place = await next;
  assert.deepEqual(readdirSync(place.tree), []);
});

test('KeptContexts.remove() leaves what is in use', async () => {
  const contexts = new KeptContexts(join(scratch, 'removed'));
  const place = await contexts.take('a', signal);
  fill(place, 'one');
  const [kept] = await contexts.list();
  assert.equal(await contexts.remove(kept?.id ?? ''), false);
  await place[Symbol.asyncDispose]();
  assert.equal(await contexts.remove(kept?.id ?? ''), true);
  assert.deepEqual(await contexts.list(), []);
});

test('KeptContexts.recover() removes what a crash left, and what another boot of the machine wrote', async () => {
  const root = join(scratch, 'crashed');
  const contexts = new KeptContexts(root);
  for (const key of ['whole', 'half', 'old']) {
    await using place = await contexts.take(key, signal);
    fill(place, key);
    if (key === 'half') rmSync(place.index);
    if (key === 'old') writeIndex(place.index, 'another boot', new Map());
  }
  mkdirSync(join(root, '.passing'));
  const again = new KeptContexts(root);
  await again.recover();
  assert.equal(readdirSync(root).length, 1);
  await using place = await again.take('whole', signal);
  assert.equal(textIn(place), 'whole');
});
