import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DetachFilter, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys() knows control keys, DEL and letters', () => {
  const cases: Readonly<Record<string, readonly number[]>> = {
    '': [16, 17],
    'ctrl-a': [1],
    'ctrl-@,ctrl-_': [0, 31],
    'ctrl-\\,x,DEL': [28, 120, 127],
  };
  for (const [text, bytes] of Object.entries(cases)) assert.deepEqual([...parseDetachKeys(text)], bytes, text);
  for (const bad of ['ctrl-', 'ctrl-A', 'ab', 'a,', 'ü']) {
    assert.throws(() => parseDetachKeys(bad), { message: /^Unknown character: '/ }, bad);
  }
});

function pass(keys: string, pieces: readonly string[]): string {
  const filter = new DetachFilter(Buffer.from(keys));
  let text = '';
  for (const piece of pieces) {
    const { bytes, isDetached } = filter.push(Buffer.from(piece));
    text += bytes.toString();
    if (isDetached) return `${text}|`;
  }
  return text;
}

test('DetachFilter keeps back what may be the keys, and gives it on when it is not', () => {
  const cases: readonly (readonly [keys: string, pieces: readonly string[], passed: string])[] = [
    ['pq', ['abc'], 'abc'],
    ['pq', ['apqb'], 'a|'],
    ['pq', ['ap', 'qb'], 'a|'],
    ['pq', ['ap', 'b'], 'apb'],
    ['pq', ['p', 'p', 'q'], 'p|'],
    ['pq', ['ppq'], 'p|'],
    ['pqr', ['pq', 'pqr'], 'pq|'],
    ['pqr', ['xpqx'], 'xpqx'],
    ['x', ['axb'], 'a|'],
    ['pq', ['ap'], 'a'],
  ];
  for (const [keys, pieces, passed] of cases) assert.equal(pass(keys, pieces), passed, `${keys}: ${pieces}`);
});

test('DetachFilter gives on everything that is no key, however it is cut', () => {
  const letter = fc.constantFrom('p', 'q', 'x');
  fc.assert(
    fc.property(fc.array(fc.array(letter).map((letters) => letters.join(''))), (pieces) => {
      const whole = pieces.join('');
      const at = whole.indexOf('pq');
      if (at >= 0) assert.equal(pass('pq', pieces), `${whole.slice(0, at)}|`);
      else assert.equal(pass('pq', pieces), whole.replace(/p$/, ''));
    }),
  );
});
