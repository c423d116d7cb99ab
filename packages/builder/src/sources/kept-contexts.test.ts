import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MAX_KEPT_CONTEXTS } from '../limits.ts';
import { KeptContexts } from './kept-contexts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-contexts-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function tree(text: string): string {
  const directory = mkdtempSync(join(scratch, 'tree-'));
  writeFileSync(join(directory, 'file'), text);
  return directory;
}

test('KeptContexts keeps the last tree of each directory, the most recently used ones', async () => {
  const root = join(scratch, 'kept');
  const contexts = new KeptContexts(root);
  assert.equal(contexts.find('a'), undefined);
  for (const text of ['one', 'two']) {
    contexts.digests('a').set(text, text);
    await contexts.keep('a', tree(text));
  }
  assert.equal(readFileSync(join(contexts.find('a') ?? '', 'file'), 'utf8'), 'two');
  assert.deepEqual([...contexts.digests('a').keys()], ['one', 'two']);
  for (let number = 0; number < MAX_KEPT_CONTEXTS; number++) {
    contexts.digests(`n${number}`);
    await contexts.keep(`n${number}`, tree('x'));
  }
  assert.equal(contexts.find('a'), undefined);
  assert.equal(readdirSync(root).length, MAX_KEPT_CONTEXTS);
});

test('KeptContexts.recover() removes what a crash left', async () => {
  const root = join(scratch, 'crashed');
  mkdirSync(join(root, '.old-1234'), { recursive: true });
  const contexts = new KeptContexts(root);
  await contexts.keep('a', tree('x'));
  const again = new KeptContexts(root);
  await again.recover();
  assert.equal(readdirSync(root).length, 1);
  assert.notEqual(again.find('a'), undefined);
});
