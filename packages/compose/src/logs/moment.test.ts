import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentOf } from './moment.ts';

test('momentOf() reads durations, dates and Unix seconds', () => {
  const at = (text: string): string => momentOf(text, { flag: 'since', nowMs: 1_000_000 });
  assert.equal(at('10s'), '990.000000000');
  assert.equal(at('1970-01-01T00:00:01.5Z'), '1.500000000');
  assert.equal(at('1970-01-02T00:00+01:00'), '82800.000000000');
  assert.equal(at('1234.5'), '1234.5');
  assert.throws(
    () => at('soon'),
    /^WharfError: invalid value for "since": failed to parse value as time or duration: "soon"/,
  );
});
