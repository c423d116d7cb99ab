import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBuildHistoryConfig } from './build-history.ts';

test('parseBuildHistoryConfig() reads numbers, durations and seconds, and has BuildKit’s own limits otherwise', () => {
  assert.deepEqual(parseBuildHistoryConfig('{}'), { maxEntries: 50, maxAgeMs: 172_800_000 });
  assert.deepEqual(parseBuildHistoryConfig('{"maxEntries": 3, "MaxAge": "1h30m"}'), {
    maxEntries: 3,
    maxAgeMs: 5_400_000,
  });
  assert.equal(parseBuildHistoryConfig('{"maxAge": 60}').maxAgeMs, 60_000);
});

for (const text of ['[]', '{"maxEntries": -1}', '{"maxEntries": "x"}', '{"maxAge": "soon"}', '{"age": 1}']) {
  test(`parseBuildHistoryConfig() refuses ${text}`, () => {
    assert.throws(() => parseBuildHistoryConfig(text), { kind: 'invalid-argument' });
  });
}
