import assert from 'node:assert/strict';
import test from 'node:test';
import { messageOf, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import { pullError, resolveError } from './pull-errors.ts';

const unreachable = new WharfError('unavailable', 'Head "https://r/v2/": no route', { code: 'no-host' });

test('resolveError() names the whole reference, as dockerd does', () => {
  const told = (name: string) => messageOf(resolveError(withDefaultTag(parseReference(name)), unreachable));
  const rest = 'failed to do request: Head "https://r/v2/": no route';
  assert.equal(told('hello'), `failed to resolve reference "docker.io/library/hello:latest": ${rest}`);
  assert.equal(told('me/app:1'), `failed to resolve reference "docker.io/me/app:1": ${rest}`);
  assert.equal(told('host:5000/x'), `failed to resolve reference "host:5000/x:latest": ${rest}`);
});

test('pullError() speaks of access in the name the user knows', () => {
  const refused = new WharfError('permission-denied', 'no token', { code: 'no-credentials' });
  const told = messageOf(pullError(parseReference('hello:1'), refused));
  assert.equal(told, "pull access denied for hello, repository does not exist or may require 'docker login': no token");
});
