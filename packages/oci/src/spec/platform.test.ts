import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiffId } from '@wharf/kit';
import { chainIdOf, chainIds } from './chain-id.ts';
import { formatPlatform, normalizePlatform, parsePlatform, platformMatches, platformRank } from './platform.ts';

test('parsePlatform() reads the usual spellings', () => {
  for (const [text, normal] of [
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/amd64', 'linux/amd64'],
    ['Linux/x86_64', 'linux/amd64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['aarch64', 'linux/arm64'],
    ['windows/amd64', 'windows/amd64'],
  ] as const) {
    assert.equal(formatPlatform(parsePlatform(text)), normal);
  }
  for (const text of ['', 'a/b/c/d', 'linux/', 'what', 'linux/a b']) assert.throws(() => parsePlatform(text), text);
});

test('platformRank() prefers the nearest lower variant', () => {
  const arm = (variant: string) => ({ os: 'linux', architecture: 'arm', variant });
  assert.equal(platformRank(arm('v7'), arm('v7')), 0);
  assert.equal(platformRank(arm('v7'), arm('v6')), 1);
  assert.equal(platformRank(arm('v6'), arm('v7')), undefined);
  assert.ok(
    platformMatches({ os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'arm64', variant: 'v8' }),
  );
  assert.ok(!platformMatches({ os: 'linux', architecture: 'amd64' }, { os: 'linux', architecture: 'arm64' }));
  assert.deepEqual(normalizePlatform({ os: 'linux', architecture: 'amd64', variant: 'v1' }), {
    os: 'linux',
    architecture: 'amd64',
  });
});

test('chainIds() follows the image-spec', () => {
  const diffIds = ['sha256:a', 'sha256:b'] as DiffId[];
  const [first, second] = chainIds(diffIds);
  assert.equal(first, 'sha256:a');
  // sha256("sha256:a sha256:b")
  assert.match(String(second), /^sha256:[0-9a-f]{64}$/);
  assert.equal(chainIdOf(diffIds), second);
  assert.equal(chainIdOf([]), '');
});
