import assert from 'node:assert/strict';
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
