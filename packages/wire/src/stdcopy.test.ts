import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Demuxer, frame, frameHeader, STDERR, STDOUT } from './stdcopy.ts';

test('frame() writes the header of the Engine API', () => {
  assert.deepEqual([...frame(STDERR, Buffer.from('ab'))], [2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
  assert.deepEqual([...frameHeader(STDOUT, 0x01020304)], [1, 0, 0, 0, 1, 2, 3, 4]);
});

test('Demuxer gives back what was framed, however it is cut', () => {
  const piece = fc.tuple(fc.constantFrom(STDOUT, STDERR), fc.uint8Array({ maxLength: 50 }));
  fc.assert(
    fc.property(fc.array(piece), fc.integer({ min: 1, max: 17 }), (pieces, size) => {
      const bytes = Buffer.concat(pieces.map(([stream, payload]) => frame(stream, payload)));
      const out: Record<number, Buffer[]> = { [STDOUT]: [], [STDERR]: [] };
      const demuxer = new Demuxer((stream, payload) => out[stream]?.push(payload));
      for (let at = 0; at < bytes.length; at += size) demuxer.push(bytes.subarray(at, at + size));
      assert.ok(demuxer.atBoundary);
      for (const wanted of [STDOUT, STDERR]) {
        const sent = pieces.filter(([stream]) => stream === wanted).map(([, payload]) => payload);
        assert.deepEqual(Buffer.concat(out[wanted] ?? []), Buffer.concat(sent));
      }
    }),
  );
});

test('Demuxer refuses what is not framed', () => {
  assert.throws(() => new Demuxer(() => {}).push(Buffer.from('hello world')), { kind: 'invalid-argument' });
});
