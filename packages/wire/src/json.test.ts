import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseJson, stringifyJson } from './json.ts';

test('parseJson() keeps integers beyond 2^53 whole', () => {
  assert.deepEqual(parseJson('{"a":9223372036854775807,"b":[-9007199254740993],"c":1.5e300,"d":12}'), {
    a: 9223372036854775807n,
    b: [-9007199254740993n],
    c: 1.5e300,
    d: 12,
  });
  assert.equal(parseJson('9007199254740991'), 9007199254740991);
  assert.equal(parseJson('"12345678901234567890"'), '12345678901234567890');
  assert.throws(() => parseJson('{"a":01234567890123456789}'), SyntaxError);
});

test('stringifyJson() writes a bigint as a number, and gives back what parseJson() read', () => {
  assert.equal(
    stringifyJson({ a: 18446744073709551615n, b: '1n', c: undefined }),
    '{"a":18446744073709551615,"b":"1n"}',
  );
  assert.equal(stringifyJson(undefined), 'null');
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  assert.throws(() => stringifyJson(circular), TypeError);
  const big = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n });
  fc.assert(
    fc.property(fc.array(fc.oneof(big, fc.integer(), fc.string())), (value) => {
      assert.deepEqual(parseJson(stringifyJson(value)), value);
    }),
  );
});
