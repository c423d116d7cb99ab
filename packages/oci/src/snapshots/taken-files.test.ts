import assert from 'node:assert/strict';
import { linkSync, lstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { toBytes } from '../tar/bytes.ts';
import { TakenFiles } from './taken-files.ts';
import { copyJob } from './tree-jobs.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-taken-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const io = { signal: new AbortController().signal } as Parameters<typeof copyJob>[1];

/** A context of three files, and a layer that has two of them, one of them as a copy. */
function trees(name: string) {
  const [context, layer] = [join(scratch, name, 'context'), join(scratch, name, 'layer')];
  mkdirSync(join(context, 'dir'), { recursive: true });
  mkdirSync(join(layer, 'deep/er'), { recursive: true });
  for (const file of ['linked', 'copied', 'dir/other']) writeFileSync(join(context, file), file);
  linkSync(join(context, 'linked'), join(layer, 'deep/er/one'));
  writeFileSync(join(layer, 'copied'), 'copied');
  linkSync(join(context, 'dir/other'), join(scratch, name, 'elsewhere'));
  return { context, layer, elsewhere: join(scratch, name, 'elsewhere') };
}

test('TakenFiles.has() knows the files of layers by whatever name', () => {
  const { context, layer } = trees('has');
  const taken = new TakenFiles([toBytes(layer)]);
  const has = (name: string) => taken.has(statSync(join(context, name)));
  assert.deepEqual(['linked', 'copied', 'dir/other'].map(has), [true, false, false]);
  assert.equal(new TakenFiles([]).has(statSync(join(context, 'linked'))), false);
});

test('TakenFiles.has() takes all for taken that have names elsewhere, where there are too many to look at', () => {
  const { context, layer } = trees('many');
  const taken = new TakenFiles([toBytes(layer)], 2);
  const has = (name: string) => taken.has(statSync(join(context, name)));
  assert.deepEqual(['linked', 'copied', 'dir/other'].map(has), [true, false, true]);
});

test('copyJob() links all but the files of layers below, and keeps what is one file', async () => {
  const { context, layer, elsewhere } = trees('copy');
  linkSync(join(context, 'linked'), join(context, 'dir/same'));
  const to = join(scratch, 'copy', 'to');
  mkdirSync(to);
  await copyJob({ from: context, to, link: { apartFrom: [layer] } }, io);
  const inode = (path: string) => lstatSync(path).ino;
  assert.equal(inode(join(to, 'dir/other')), inode(elsewhere));
  assert.equal(inode(join(to, 'copied')), inode(join(context, 'copied')));
  assert.notEqual(inode(join(to, 'linked')), inode(join(context, 'linked')));
  assert.equal(inode(join(to, 'linked')), inode(join(to, 'dir/same')));
  assert.equal(lstatSync(join(to, 'linked')).nlink, 2);
});
