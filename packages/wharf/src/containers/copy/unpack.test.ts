import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { buildTar, type TarMemberInit } from '@wharf/oci/tar/build';
import { packTree } from './pack.ts';
import { unpackTree } from './unpack.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wharf-unpack-'));
  mkdirSync(join(root, 'inside'));
  mkdirSync(join(root, 'outside'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function* stream(...members: readonly TarMemberInit[]): AsyncGenerator<Buffer> {
  yield buildTar(members);
}

const unpack = (...members: readonly TarMemberInit[]) =>
  unpackTree(stream(...members), { directory: join(root, 'inside') });
const file = (name: string, text: string): TarMemberInit => ({
  name,
  type: 'file',
  mode: 0o640,
  content: Buffer.from(text),
});

test('unpackTree() writes files, directories and links with their modes and times', async () => {
  const mtimeNs = 1_577_836_800_000_000_000n;
  await unpack(
    { name: 'd/', type: 'directory', mode: 0o751, mtimeNs },
    { ...file('d/f', 'text'), mtimeNs },
    { name: 'd/hard', type: 'link', linkName: 'd/f' },
    { name: 'd/soft', type: 'symlink', linkName: 'f' },
  );
  const at = (name: string): string => join(root, 'inside', name);
  assert.equal(readFileSync(at('d/soft'), 'utf8'), 'text');
  assert.equal(statSync(at('d')).mode & 0o7777, 0o751);
  assert.equal(statSync(at('d')).mtimeMs, Number(mtimeNs / 1_000_000n));
  assert.equal(statSync(at('d/f')).mode & 0o7777, 0o640);
  assert.equal(statSync(at('d/f')).ino, statSync(at('d/hard')).ino);
});

test('unpackTree() does not leave its directory', async () => {
  const out = join(root, 'outside');
  const hostile: readonly (readonly [readonly TarMemberInit[], RegExp])[] = [
    [[file('../outside/f', 'x')], /is outside of/],
    [[file('a/../../outside/f', 'x')], /is outside of/],
    [[{ name: 'l', type: 'symlink', linkName: '../outside' }], /invalid symlink/],
    [[{ name: 'l', type: 'symlink', linkName: out }, file('l/f', 'x')], /"l" is no directory/],
    [
      [
        { name: 'm', type: 'symlink', linkName: out },
        { name: 'm/', type: 'directory' },
      ],
      /cannot overwrite non-directory/,
    ],
    [[{ name: 'h', type: 'link', linkName: '../outside/secret' }], /is outside of/],
  ];
  writeFileSync(join(out, 'secret'), 'kept');
  for (const [members, why] of hostile) await assert.rejects(unpack(...members), why);
  assert.deepEqual(readdirSync(out), ['secret']);
  assert.equal(readFileSync(join(out, 'secret'), 'utf8'), 'kept');
});

test('unpackTree() puts a file in the place of a link, not where the link leads', async () => {
  const secret = join(root, 'outside/secret');
  writeFileSync(secret, 'kept');
  symlinkSync(secret, join(root, 'inside/f'));
  await unpack(file('f', 'new'));
  assert.equal(readFileSync(secret, 'utf8'), 'kept');
  assert.ok(lstatSync(join(root, 'inside/f')).isFile());
});

test('unpackTree() keeps directories from becoming files and files from becoming directories', async () => {
  mkdirSync(join(root, 'inside/d'));
  writeFileSync(join(root, 'inside/f'), '');
  await assert.rejects(unpack(file('d', 'x')), /cannot overwrite directory ".*\/d" with non-directory ".*\/inside"/);
  await assert.rejects(
    unpack({ name: 'f/', type: 'directory' }),
    /cannot overwrite non-directory ".*\/f" with directory/,
  );
});

test('packTree() and unpackTree() bring a tree over, under another name', async () => {
  const source = join(root, 'outside/tree');
  mkdirSync(join(source, 'sub'), { recursive: true });
  writeFileSync(join(source, 'a'), 'a'.repeat(600_000));
  writeFileSync(join(source, 'sub/ünïcode "x"'), 'b');
  symlinkSync('a', join(source, 'link'));
  const archive = packTree(source, { from: 'tree', to: 'copy' });
  await unpackTree(archive, { directory: join(root, 'inside') });
  const copied = join(root, 'inside/copy');
  assert.equal(readFileSync(join(copied, 'link'), 'utf8').length, 600_000);
  assert.equal(readFileSync(join(copied, 'sub/ünïcode "x"'), 'utf8'), 'b');
});
