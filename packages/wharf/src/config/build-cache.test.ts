import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBuildCacheConfig } from './build-cache.ts';

test('parseBuildCacheConfig() reads what dockerd reads, with old and new names', () => {
  assert.deepEqual(parseBuildCacheConfig('{"defaultKeepStorage": "20GB", "defaultMinFreeSpace": "1GB"}'), {
    enabled: true,
    space: { reservedBytes: 20 * 1024 ** 3, maxUsedBytes: 0, minFreeBytes: 1024 ** 3 },
  });
  const text = `{"Enabled": false, "policy": [
    {"keepStorage": "10MB", "filter": ["unused-for=2200h", "type=source.local"]},
    {"maxUsedSpace": "1GB", "all": true, "filter": {"shared": {"true": true}}}]}`;
  assert.deepEqual(parseBuildCacheConfig(text), {
    enabled: false,
    space: { reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 },
    rules: [
      {
        ...{ reservedBytes: 10 * 1024 ** 2, maxUsedBytes: 0, minFreeBytes: 0, all: false },
        filters: [
          ['unused-for', '2200h'],
          ['type', 'source.local'],
        ],
      },
      {
        ...{ reservedBytes: 0, maxUsedBytes: 1024 ** 3, minFreeBytes: 0, all: true },
        filters: [['shared', 'true']],
      },
    ],
  });
});

for (const text of ['[]', '{"enabled": 1}', '{"keep": 1}', '{"policy": {}}', '{"defaultKeepStorage": 5}', '{']) {
  test(`parseBuildCacheConfig() refuses ${text}`, () => {
    assert.throws(() => parseBuildCacheConfig(text), { kind: 'invalid-argument' });
  });
}
