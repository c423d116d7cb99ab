import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatches } from './glob.ts';
import { parseTimestamp } from './timestamp.ts';

test("globMatches() has path.Match's rules", () => {
  const yes = [
    ['a*', 'abc'],
    ['*', 'x'],
    ['a?c', 'abc'],
    ['[a-c]x', 'bx'],
    ['[^a]', 'b'],
    ['a\\*', 'a*'],
    ['*/*', 'a/b'],
    ['', ''],
    ['a**b', 'axb'],
  ];
  const no = [
    ['*', 'a/b'],
    ['a?c', 'a/c'],
    ['a', 'ab'],
    ['[a', 'a'],
    ['[]a]', ']'],
    ['[-]', '-'],
    ['[^a]', 'a'],
    ['a\\', 'a'],
    ['*b', 'a'],
  ];
  for (const [pattern = '', text = ''] of yes) assert.ok(globMatches(pattern, text), `${pattern} ${text}`);
  for (const [pattern = '', text = ''] of no) assert.ok(!globMatches(pattern, text), `${pattern} ${text}`);
});

test('globMatches() stays quick on patterns made to be slow', () => {
  assert.ok(!globMatches(`${'a*'.repeat(100)}b`, 'a'.repeat(1000)));
});

test('parseTimestamp() reads durations, Unix seconds and dates', () => {
  const now = 1_000_000_000_000_000_000n;
  assert.equal(parseTimestamp('10m', now, 'until'), now - 600_000_000_000n);
  assert.equal(parseTimestamp('12.000000001', now, 'until'), 12_000_000_001n);
  assert.equal(parseTimestamp('1970-01-01T00:00:01Z', now, 'until'), 1_000_000_000n);
  assert.equal(
    parseTimestamp('1970-01-02T00:00:00', now, 'until'),
    BigInt(Date.parse('1970-01-02T00:00:00')) * 1_000_000n,
  );
  assert.throws(() => parseTimestamp('soon', now, 'until'), /invalid value for 'until' filter/);
});
