import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GoInteger, parseGoBoolean, parseGoFloat, parseGoInteger } from './go-numbers.ts';

test('parseGoInteger() reads what strconv reads', () => {
  const cases: readonly (readonly [string, GoInteger, bigint])[] = [
    ['0', {}, 0n],
    ['-7', {}, -7n],
    ['+7', { as: 'Atoi' }, 7n],
    ['010', {}, 10n],
    ['010', { base: 0 }, 8n],
    ['0x_ff', { base: 0 }, 255n],
    ['1_000', { base: 0 }, 1000n],
    ['0', { base: 0 }, 0n],
    ['-0b11', { base: 0 }, -3n],
    ['1777', { base: 8, as: 'ParseUint', bits: 32 }, 0o1777n],
    ['65535', { as: 'ParseUint', bits: 16 }, 65_535n],
    ['-9223372036854775808', {}, -(2n ** 63n)],
  ];
  for (const [text, how, value] of cases) assert.equal(parseGoInteger(text, how), value, text);
});

test('parseGoInteger() refuses in the words of strconv', () => {
  const cases: readonly (readonly [string, GoInteger, string])[] = [
    ['x', {}, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['', { as: 'Atoi' }, 'strconv.Atoi: parsing "": invalid syntax'],
    ['-1', { as: 'ParseUint' }, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ['65536', { as: 'ParseUint', bits: 16 }, 'strconv.ParseUint: parsing "65536": value out of range'],
    ['9223372036854775808', {}, 'strconv.ParseInt: parsing "9223372036854775808": value out of range'],
    ['8', { base: 8 }, 'strconv.ParseInt: parsing "8": invalid syntax'],
    ['1_000', {}, 'strconv.ParseInt: parsing "1_000": invalid syntax'],
    ['1__0', { base: 0 }, 'strconv.ParseInt: parsing "1__0": invalid syntax'],
    ['a"b', {}, String.raw`strconv.ParseInt: parsing "a\"b": invalid syntax`],
    ['x', { bare: true }, 'invalid syntax'],
  ];
  for (const [text, how, message] of cases) assert.throws(() => parseGoInteger(text, how), { message }, text);
});

test('parseGoFloat() and parseGoBoolean() are as strict as strconv', () => {
  assert.equal(parseGoFloat('.5e1'), 5);
  assert.throws(() => parseGoFloat('1.5.2'), { message: 'strconv.ParseFloat: parsing "1.5.2": invalid syntax' });
  assert.throws(() => parseGoFloat(' 1'), { message: 'strconv.ParseFloat: parsing " 1": invalid syntax' });
  assert.equal(parseGoBoolean('T'), true);
  assert.equal(parseGoBoolean('False'), false);
  assert.throws(() => parseGoBoolean('yes'), { message: 'strconv.ParseBool: parsing "yes": invalid syntax' });
});
