import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_LINE_BYTES } from './limits.ts';
import { LineSplitter } from './line-splitter.ts';

function split(chunks: readonly Buffer[]): readonly string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line.toString('latin1')));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test('LineSplitter hands on the same lines however the bytes come', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '\n', 'é', '\r'), maxLength: 40 }), fc.nat(7), (text, size) => {
      const bytes = Buffer.from(text);
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size + 1) chunks.push(bytes.subarray(at, at + size + 1));
      const expected = bytes.toString('latin1').split('\n');
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(split(chunks), expected);
    }),
  );
});

test('LineSplitter hands on a line without end in pieces', () => {
  const lines = split([Buffer.alloc(MAX_LINE_BYTES, 'a'), Buffer.from('b\n')]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [MAX_LINE_BYTES, 1],
  );
});
