import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnFrontend } from './drive.ts';

test('isOwnFrontend() knows the front end by its name and by its images', () => {
  const gateway = (source: string) => isOwnFrontend('gateway.v0', { source });
  assert.equal(isOwnFrontend('dockerfile.v0', {}), true);
  assert.equal(gateway('docker/dockerfile:1'), true);
  assert.equal(gateway('docker.io/docker/dockerfile-upstream:master'), true);
  assert.equal(gateway('docker/dockerfiles'), false);
  assert.equal(gateway('example.com/front:1'), false);
  assert.equal(isOwnFrontend('other.v0', {}), false);
});
