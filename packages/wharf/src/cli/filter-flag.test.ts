import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterFlag, filterQuery } from './filter-flag.ts';

test('filterFlag() reads KEY=VALUE, and filterQuery() gathers them', () => {
  const { parse } = filterFlag('', 'f');
  const pairs = ['label=a=b', ' Label = c ', 'status=up', ''].map(parse);
  assert.deepEqual(filterQuery(pairs), { label: { 'a=b': true, c: true }, status: { up: true } });
  assert.equal(filterQuery([parse('')]), undefined);
  assert.throws(() => parse('bad'), { message: 'bad format of filter (expected name=value)' });
});
