import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatExponent, formatFixed, formatGeneral } from './go-float.ts';

// Each expectation is what Go's fmt printed.
test('numbers are rounded as Go rounds them: what lies between goes to the even one', () => {
  const general: readonly (readonly [number, number, string])[] = [
    [1.125, 3, '1.12'],
    [1.135, 3, '1.14'],
    [1.145, 3, '1.15'],
    [2.5, 1, '2'],
    [3.5, 1, '4'],
    [999.9, 3, '1e+03'],
    [0.0001, 3, '0.0001'],
    [0.00001, 3, '1e-05'],
    [0, 3, '0'],
    [123_456, 4, '1.235e+05'],
    [100, 3, '100'],
    [1e21, 3, '1e+21'],
    [-1.125, 3, '-1.12'],
  ];
  for (const [value, digits, text] of general) assert.equal(formatGeneral(value, digits), text);
  const fixed: readonly (readonly [number, number, string])[] = [
    [0.125, 2, '0.12'],
    [0.375, 2, '0.38'],
    [0.5, 0, '0'],
    [1.5, 0, '2'],
    [2.675, 2, '2.67'],
    [1e6, 2, '1000000.00'],
  ];
  for (const [value, places, text] of fixed) assert.equal(formatFixed(value, places), text);
  assert.equal(formatExponent(2.5, 0), '2e+00');
  assert.equal(formatExponent(12_345.678, 2), '1.23e+04');
  assert.equal(formatGeneral(Number.NaN, 3), 'NaN');
  assert.equal(formatGeneral(Number.POSITIVE_INFINITY, 3), '+Inf');
});
