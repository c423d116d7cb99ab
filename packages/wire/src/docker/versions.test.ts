import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkApiVersion,
  compareApiVersions,
  DOCKER_API_VERSIONS,
  formatApiVersion,
  parseApiVersion,
  parseVersionPrefix,
} from './versions.ts';

test('parseApiVersion() reads major and minor and nothing else', () => {
  assert.deepEqual(parseApiVersion('1.44'), { major: 1, minor: 44 });
  for (const bad of ['', '1', '1.', 'v1.44', '1.44.0', '-1.2']) assert.equal(parseApiVersion(bad), undefined);
  assert.deepEqual(parseVersionPrefix('1'), { major: 1, minor: 0 });
  assert.equal(parseVersionPrefix('...'), undefined);
});

test('compareApiVersions() compares by number', () => {
  const compare = (a: string, b: string): number =>
    Math.sign(
      compareApiVersions(
        parseVersionPrefix(a) ?? { major: 0, minor: 0 },
        parseVersionPrefix(b) ?? { major: 0, minor: 0 },
      ),
    );
  assert.equal(compare('1.9', '1.24'), -1);
  assert.equal(compare('1.44', '1.44'), 0);
  assert.equal(compare('2.0', '1.56'), 1);
  assert.equal(formatApiVersion({ major: 1, minor: 56 }), '1.56');
});

test('checkApiVersion() refuses in the words of dockerd', () => {
  assert.doesNotThrow(() => checkApiVersion({ major: 1, minor: 24 }, DOCKER_API_VERSIONS));
  assert.throws(() => checkApiVersion({ major: 1, minor: 99 }, DOCKER_API_VERSIONS), {
    kind: 'invalid-argument',
    message: 'client version 1.99 is too new. Maximum supported API version is 1.56',
  });
  assert.throws(() => checkApiVersion({ major: 1, minor: 0 }, DOCKER_API_VERSIONS, '1'), {
    message:
      'client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  });
});
