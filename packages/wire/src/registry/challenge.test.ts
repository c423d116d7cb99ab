import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from './challenge.ts';

test('parseChallenges() reads several challenges, quoted and plain parameters', () => {
  assert.deepEqual(
    parseChallenges('Bearer realm="https://a/token?x=1,2",Service=reg, scope="a \\"b\\"" , Basic realm="r"'),
    [
      { scheme: 'bearer', parameters: { realm: 'https://a/token?x=1,2', service: 'reg', scope: 'a "b"' } },
      { scheme: 'basic', parameters: { realm: 'r' } },
    ],
  );
  assert.deepEqual(parseChallenges(''), []);
  assert.deepEqual(parseChallenges('"junk'), []);
});
