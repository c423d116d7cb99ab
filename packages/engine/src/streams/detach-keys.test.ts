import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DetachMatcher, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys() reads letters, control keys and DEL', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.deepEqual(
    [...parseDetachKeys('a,Z,ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_,DEL')],
    [97, 90, 0, 27, 28, 29, 30, 31, 127],
  );
  assert.deepEqual([...parseDetachKeys('')], []);
});

test('parseDetachKeys() refuses what is no key, in the words of Docker', () => {
  for (const bad of ['ctrl-', 'ctrl-A', 'ctrl-aa', 'foo', 'a,,b', 'ctrl-1']) {
    assert.throws(() => parseDetachKeys(bad), {
      kind: 'invalid-argument',
      message: `Invalid detach keys (${bad}) provided`,
    });
    assert.throws(() => parseDetachKeys(bad, 'escape'), { message: `Invalid escape keys (${bad}) provided` });
  }
});

function feed(keys: Uint8Array, chunks: readonly Uint8Array[]): { output: number[]; detached: boolean } {
  const matcher = new DetachMatcher(keys);
  const output: number[] = [];
  for (const chunk of chunks) {
    const { forward, detached } = matcher.scan(chunk);
    for (const piece of forward) output.push(...piece);
    if (detached) return { output, detached };
  }
  output.push(...matcher.end());
  return { output, detached: false };
}

test('DetachMatcher finds the first occurrence and forwards everything before it, however input is cut', () => {
  const byte = fc.integer({ min: 0, max: 2 });
  const bytes = (max: number) => fc.array(byte, { minLength: 1, maxLength: max }).map((list) => Uint8Array.from(list));
  fc.assert(
    fc.property(bytes(4), fc.array(bytes(5), { maxLength: 12 }), (keys, chunks) => {
      const whole = Buffer.concat(chunks);
      const at = whole.indexOf(keys);
      const { output, detached } = feed(keys, chunks);
      assert.equal(detached, at >= 0);
      assert.deepEqual(output, [...(at >= 0 ? whole.subarray(0, at) : whole)]);
    }),
    { numRuns: 2000 },
  );
});

test('DetachMatcher holds back a lone first key until the next byte', () => {
  const matcher = new DetachMatcher(Uint8Array.of(16, 17));
  assert.deepEqual(matcher.scan(Uint8Array.of(16)).forward, []);
  assert.deepEqual(Buffer.concat(matcher.scan(Uint8Array.of(65)).forward), Buffer.from([16, 65]));
});
