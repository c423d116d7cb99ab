import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { Definition, type DefinitionMessage, definitionOf, sourceOf, sourcesOf } from './definition.ts';

/** As a client hands it back. */
const returned = (definition: object) => decode<DefinitionMessage>(Definition, encode(Definition, definition));

test('sourceOf() finds the source that definitionOf() made a graph of', () => {
  const source = { identifier: 'wharf-result://abc', attrs: { a: 'b' } };
  assert.deepEqual(sourceOf(returned(definitionOf(source))), source);
  assert.equal(sourceOf({ def: [] }), undefined);
});

test('sourceOf() refuses a graph that does something', () => {
  const { def } = returned(definitionOf({ identifier: 'docker-image://busybox', attrs: {} }));
  // A step of another kind: field 2 is ExecOp.
  const exec = Buffer.from([0x12, 0x00]);
  assert.throws(() => sourceOf({ def: [exec] }), { kind: 'not-implemented' });
  assert.throws(() => sourceOf({ def: [...def.slice(0, 1), exec, exec] }), { kind: 'not-implemented' });
  assert.throws(() => sourcesOf({ def: [...def, ...def] }), { kind: 'not-implemented' });
});

test('sourcesOf() tells an archive that is unpacked', () => {
  const { def } = returned(definitionOf({ identifier: 'https://h.example/a.tgz', attrs: {} }));
  const [source = new Uint8Array(), end = new Uint8Array()] = def;
  const file = Buffer.from([0x22, 0x00]);
  assert.equal(sourcesOf({ def: [source, file, end] }).isUnpacked, true);
  assert.equal(sourcesOf({ def }).isUnpacked, false);
});

/** A graph that copies a directory of a source into an empty tree: field 4 is FileOp, its field 2 an action, whose field 4 is a copy. */
function copied(identifier: string, directory: string): DefinitionMessage {
  const [source = new Uint8Array()] = returned(definitionOf({ identifier, attrs: {} })).def;
  const field = (number: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  const copy = Buffer.concat([field(1, Buffer.from(directory)), field(2, Buffer.from('/')), Buffer.from([6 * 8, 1])]);
  const file = field(4, field(2, field(4, copy)));
  const digest = `sha256:${createHash('sha256').update(file).digest('hex')}`;
  return { def: [source, file, field(1, field(1, Buffer.from(digest)))] };
}

const DIRECTORIES: readonly (readonly [string, string, string])[] = [
  ['git://h.example/a.git', '/bar', 'git://h.example/a.git#:bar'],
  ['git://h.example/a.git#v1', 'bar', 'git://h.example/a.git#v1:bar'],
  ['git://h.example/a.git#v1:sub', '/a/b/', 'git://h.example/a.git#v1:sub/a/b/'],
  ['git://h.example/a.git#v1', '.', 'git://h.example/a.git#v1'],
];

for (const [identifier, directory, expected] of DIRECTORIES) {
  test(`sourceOf() finds "${directory}" of ${identifier}`, () => {
    assert.equal(sourceOf(copied(identifier, directory))?.identifier, expected);
  });
}

test('sourceOf() takes no directory of an image', () => {
  assert.throws(() => sourceOf(copied('docker-image://busybox', '/etc')), { kind: 'not-implemented' });
});
