import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatBinaryBytes, formatBytes, parseBytes, parseDecimalBytes } from './bytes.ts';
import { formatGoDuration, parseGoDuration } from './duration.ts';
import { isKind } from './errors.ts';
import { formatRfc3339Nano, formatRfc3339NanoFixed, parseRfc3339 } from './go-time.ts';

test('parseGoDuration() reads Go durations exactly', () => {
  const cases: Readonly<Record<string, bigint>> = {
    '0': 0n,
    '1s': 1_000_000_000n,
    '-1.5h': -5_400_000_000_000n,
    '1h15m30.918s': 4_530_918_000_000n,
    '.5s': 500_000_000n,
    '5.s': 5_000_000_000n,
    '1us2µs3ns': 3_003n,
    '0.000000001s': 1n,
    '9223372036854775807ns': 2n ** 63n - 1n,
    '-9223372036854775808ns': -(2n ** 63n),
    '+10ms': 10_000_000n,
  };
  for (const [text, ns] of Object.entries(cases)) assert.equal(parseGoDuration(text), ns, text);
});

test('parseGoDuration() refuses in Go words', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'time: invalid duration ""',
    '-': 'time: invalid duration "-"',
    '3': 'time: missing unit in duration "3"',
    '1x': 'time: unknown unit "x" in duration "1x"',
    '1toString': 'time: unknown unit "toString" in duration "1toString"',
    '.s': 'time: invalid duration ".s"',
    '9223372036854775808ns': 'time: invalid duration "9223372036854775808ns"',
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(
      () => parseGoDuration(text),
      (error) => isKind(error, 'invalid-argument') && error.message === message,
      text,
    );
  }
});

test('formatGoDuration() writes what Go writes, and is read back', () => {
  const cases: readonly (readonly [bigint, string])[] = [
    [0n, '0s'],
    [1n, '1ns'],
    [1_100n, '1.1µs'],
    [2_200_000n, '2.2ms'],
    [30_000_000_000n, '30s'],
    [4_530_918_000_000n, '1h15m30.918s'],
    [-90_000_000_000n, '-1m30s'],
  ];
  for (const [ns, text] of cases) assert.equal(formatGoDuration(ns), text);
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (ns) => {
      assert.equal(parseGoDuration(formatGoDuration(ns)), ns);
    }),
  );
});

test('parseBytes() takes binary units, parseDecimalBytes() decimal ones', () => {
  const binary: Readonly<Record<string, number>> = {
    '0': 0,
    '10': 10,
    '1b': 1,
    '1k': 1024,
    '1KB': 1024,
    '1.5m': 1_572_864,
    '2GiB': 2 ** 31,
    '1 t': 2 ** 40,
  };
  for (const [text, bytes] of Object.entries(binary)) assert.equal(parseBytes(text), bytes, text);
  assert.equal(parseDecimalBytes('10kB'), 10_000);
  assert.equal(parseDecimalBytes('10KiB'), 10_240);
  assert.equal(parseBytes('1e3'), 1000);
  const refused: Readonly<Record<string, string>> = {
    '': "invalid size: ''",
    x: "invalid size: 'x'",
    '-1': "invalid size: '-1'",
    '1x': "invalid suffix: 'x'",
    '1Kk': "invalid suffix: 'kk'",
    '1ki': "invalid suffix: 'ki'",
    '1KBytes': "invalid suffix: 'KBytes'",
    '99999999p': "invalid size: '99999999p'",
    '1..5k': 'strconv.ParseFloat: parsing "1..5": invalid syntax',
    ' 1': 'strconv.ParseFloat: parsing " 1": invalid syntax',
  };
  for (const [bad, message] of Object.entries(refused)) {
    assert.throws(
      () => parseBytes(bad),
      (error) => isKind(error, 'invalid-argument') && error.message === message,
      bad,
    );
  }
});

test('formatBytes() and formatBinaryBytes() write four digits', () => {
  const decimal: readonly (readonly [number, string])[] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [1_234_567, '1.235MB'],
    [123_456_789_000, '123.5GB'],
  ];
  for (const [bytes, text] of decimal) assert.equal(formatBytes(bytes), text);
  assert.equal(formatBinaryBytes(1536), '1.5KiB');
  assert.equal(formatBinaryBytes(1023 * 1024), '1023KiB');
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => assert.match(formatBytes(bytes), /^\d+(\.\d+)?(B|kB|MB|GB|TB|PB)$/)),
  );
});

test('formatRfc3339Nano() and parseRfc3339() are each other undone', () => {
  assert.equal(formatRfc3339Nano(1_500_000_000n), '1970-01-01T00:00:01.5Z');
  assert.equal(formatRfc3339Nano(0n), '1970-01-01T00:00:00Z');
  assert.equal(formatRfc3339NanoFixed(-1n), '1969-12-31T23:59:59.999999999Z');
  assert.equal(parseRfc3339('2026-01-01T01:00:00.000000001+01:00'), 1_767_225_600_000_000_001n);
  assert.equal(parseRfc3339('no time'), undefined);
  fc.assert(
    fc.property(fc.bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_000_000_000n }), (ns) => {
      assert.equal(parseRfc3339(formatRfc3339Nano(ns)), ns);
    }),
  );
});
