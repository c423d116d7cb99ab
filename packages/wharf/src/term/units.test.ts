import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ellipsis, shortId } from './short-text.ts';
import { sparkline } from './sparkline.ts';
import { binarySize, humanDuration, humanSize, percent, since } from './units.ts';

test('humanSize() and binarySize() have the digits of docker, exponents included', () => {
  const sizes = [0, 1, 999, 1000, 1234, 12_345, 999_499, 999_999, 1_000_000, 123_456_789, 1.5e12];
  assert.deepEqual(
    sizes.map((size) => humanSize(size, 3)),
    ['0B', '1B', '999B', '1kB', '1.23kB', '12.3kB', '999kB', '1e+03kB', '1MB', '123MB', '1.5TB'],
  );
  assert.deepEqual(sizes.map((size) => humanSize(size)).slice(-5), ['999.5kB', '1000kB', '1MB', '123.5MB', '1.5TB']);
  assert.deepEqual([0, 1023, 1024, 1536, 68_157_440, 2 ** 40].map(binarySize), [
    ...['0B', '1023B', '1KiB', '1.5KiB', '65MiB', '1TiB'],
  ]);
});

test('humanDuration() says what docker says', () => {
  const minute = 60;
  const hour = 3600;
  const day = 24 * hour;
  const cases: readonly (readonly [number, string])[] = [
    [0.4, 'Less than a second'],
    [1, '1 second'],
    [59.9, '59 seconds'],
    [minute, 'About a minute'],
    [119, 'About a minute'],
    [2 * minute, '2 minutes'],
    [59.5 * minute, '59 minutes'],
    [hour, 'About an hour'],
    [1.4 * hour, 'About an hour'],
    [1.5 * hour, '2 hours'],
    [47.4 * hour, '47 hours'],
    [2 * day, '2 days'],
    [13.9 * day, '13 days'],
    [14 * day, '2 weeks'],
    [59 * day, '8 weeks'],
    [60 * day, '2 months'],
    [729 * day, '24 months'],
    [730 * day, '2 years'],
    [3650 * day, '10 years'],
  ];
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds * 1000), text);
  assert.equal(since(100, 160_000), 'About a minute ago');
});

test('percent(), shortId() and ellipsis() write as lists do', () => {
  assert.equal(percent(12.345), '12.35%');
  assert.equal(shortId(`sha256:${'ab'.repeat(32)}`), 'abababababab');
  assert.equal(shortId('short'), 'short');
  assert.equal(ellipsis('exactly ten', 11), 'exactly ten');
  assert.equal(ellipsis('more than ten', 10), 'more than…');
  assert.equal(ellipsis('日本語日本語', 7), '日本語…');
});

test('sparkline() shows the last values, the highest full', () => {
  assert.equal(sparkline([0, 1, 2, 4, 7], 5), '▁▂▃▅█');
  assert.equal(sparkline([1, 1], 4, 10), '  ▂▂');
  assert.equal(sparkline([], 3), '   ');
  assert.equal(sparkline([0, 0], 2), '▁▁');
  assert.equal(sparkline([9, 0, 5], 2), '▁█');
});
