import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { naturalOrder } from './natural-order.ts';

test('naturalOrder() counts as people do', () => {
  const sorted = ['', '0', '1', '01', '2', '10', 'a', 'a1', 'a1b', 'a01', 'a2', 'a10', 'b', 'net9/tcp', 'net80/tcp'];
  const mixed = [...sorted].reverse();
  assert.deepEqual(mixed.toSorted(naturalOrder), sorted);
});

test('naturalOrder() is an order', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '0', '1', '2', '/', '-'), maxLength: 8 });
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      assert.ok(Math.sign(naturalOrder(a, b)) + Math.sign(naturalOrder(b, a)) === 0);
      assert.equal(naturalOrder(a, b) === 0, a === b);
      if (naturalOrder(a, b) <= 0 && naturalOrder(b, c) <= 0) assert.ok(naturalOrder(a, c) <= 0);
    }),
  );
});
