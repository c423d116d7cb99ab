import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import { openMemoryStore } from '@wharf/store';
import type { AccessRequest, Action, Identity } from '../plug/access.ts';
import { Authenticator } from './authenticator.ts';
import { BearerTokens } from './bearer.ts';
import { ANONYMOUS, Directory } from './directory.ts';
import { DirectoryAccess } from './directory-access.ts';
import { isPattern, matches } from './pattern.ts';
import { hashPassword, hashSecret, makeSecret, verifyPassword } from './secrets.ts';
import { Throttle } from './throttle.ts';

const password = await hashPassword('correct horse');

function registry() {
  let time = 1_800_000_000_000;
  const directory = new Directory({ store: openMemoryStore(), now: () => time });
  const user = { password, isAdmin: false, isDisabled: false, createdAt: time };
  directory.users.put('ann', user);
  directory.users.put('bob', user);
  directory.users.put('boss', { ...user, isAdmin: true });
  directory.namespaces.put('team', {
    ...{ createdAt: time, anonymousPull: false, members: { ann: 'writer' } },
    grants: [{ user: 'bob', repository: 'team/web', rights: ['pull'] }],
  });
  directory.namespaces.put('open', { createdAt: time, anonymousPull: true, members: {}, grants: [] });
  const tokens = new BearerTokens({ key: randomBytes(32), service: 'here', now: () => time });
  const authenticator = new Authenticator(directory);
  const access = new DirectoryAccess({
    ...{ directory, tokens, authenticator, service: 'here', isOn: () => true, admit: () => {} },
    realm: (host) => `http://${host}/token`,
  });
  const request = (authorization?: string, certificateName?: string): AccessRequest => ({
    ...{ authorization, remoteAddress: '10.0.0.1', headers: { host: 'reg' }, certificateName },
  });
  const basic = (name: string, secret: string) =>
    request(`Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`);
  const advance = (ms: number): void => {
    time += ms;
  };
  return { directory, tokens, authenticator, access, request, basic, advance, now: () => time };
}

function rights(identity: Identity, repository: string): string {
  const all: readonly Action[] = ['pull', 'push', 'delete', 'list'];
  return all.filter((action) => identity.allows(action, repository)).join(' ');
}

test('DirectoryAccess.identify() gives users what their roles, grants and namespaces say, and no more', async () => {
  const { access, basic, request } = registry();
  const [ann, bob, boss] = await Promise.all(
    ['ann', 'bob', 'boss'].map(async (name) => access.identify(basic(name, 'correct horse'))),
  );
  assert.ok(ann && bob && boss);
  assert.equal(rights(ann, 'team/web'), 'pull push list');
  assert.equal(rights(ann, 'teams/web'), '');
  assert.equal(rights(ann, 'open/box'), 'pull list');
  assert.equal(rights(bob, 'team/web'), 'pull list');
  assert.equal(rights(bob, 'team/web2'), '');
  assert.equal(rights(boss, 'anything/else'), 'pull push delete list');
  const anonymous = await access.identify(request());
  assert.equal(rights(anonymous, 'open/box'), 'pull');
  assert.equal(rights(anonymous, 'team/web'), '');
  assert.equal(anonymous.allows('ping', ''), false);
  const certified = await access.identify(request(undefined, 'ann'));
  assert.equal(certified.name, 'ann');
  assert.equal((await access.identify(request(undefined, 'nobody'))).anonymous, true);
});

test('DirectoryAccess.identify() refuses wrong passwords and unknown users alike, and slows guessing down', async () => {
  const { access, basic, advance } = registry();
  for (const [name, secret] of [
    ['ann', 'wrong'],
    ['nobody', 'wrong'],
    ['ann', ''],
  ] as const)
    await assert.rejects(
      async () => access.identify(basic(name, secret)),
      (error) => isKind(error, 'unauthenticated'),
    );
  for (let round = 0; round < 4; round += 1) await assert.rejects(async () => access.identify(basic('ann', 'wrong')));
  await assert.rejects(
    async () => access.identify(basic('ann', 'correct horse')),
    (error) => isKind(error, 'resource-exhausted'),
  );
  advance(60_000);
  assert.equal((await access.identify(basic('ann', 'correct horse'))).name, 'ann');
});

test('a bearer token is good for its resources, its time and its service only, and ends with its user', async () => {
  const { access, tokens, directory, request, advance } = registry();
  const granted = [{ type: 'repository', name: 'team/web', actions: ['pull', 'push'] }];
  const ann = { kind: 'user', name: 'ann' } as const;
  const token = tokens.issue(ann, granted, 300);
  const bearer = request(`Bearer ${token}`);
  const identity = await access.identify(bearer);
  assert.equal(rights(identity, 'team/web'), 'pull push');
  assert.equal(rights(identity, 'team/other'), '', 'not replayed for another repository');
  assert.equal(identity.allows('catalog', ''), false);
  assert.match(
    access.challenge({ action: 'pull', repository: 'team/other' }, bearer) ?? '',
    /scope="repository:team\/other:pull".*insufficient_scope/,
  );
  assert.equal(
    access.challenge({ action: 'delete', repository: 'team/web' }, bearer),
    undefined,
    'a wider token would not help',
  );
  const changed = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const wrong of [changed, `${token}x`, 'a.b.c', '', `eyJhbGciOiJub25lIn0.${token.split('.')[1]}.`]) {
    const other = request(`Bearer ${wrong}`);
    await assert.rejects(
      async () => access.identify(other),
      (error) => isKind(error, 'unauthenticated'),
    );
  }
  directory.namespaces.put('team', { createdAt: 0, anonymousPull: false, members: { ann: 'reader' }, grants: [] });
  assert.equal(rights(identity, 'team/web'), 'pull', 'a right that was taken away is gone at once');
  directory.users.delete('ann');
  assert.equal(rights(await access.identify(bearer), 'team/web'), '');
  advance(301_000);
  await assert.rejects(
    async () => access.identify(bearer),
    (error) => isKind(error, 'unauthenticated'),
  );
});

test('a personal token logs in as its owner within its limits until it ends, and what was made with it ends too', async () => {
  const { access, directory, tokens, basic, request, advance, now } = registry();
  const secret = makeSecret();
  const id = '0123456789abcdef';
  directory.tokens.put(id, {
    ...{ kind: 'personal', owner: 'ann', description: '', secret: hashSecret(secret), createdAt: now() },
    ...{ limit: ['pull'], expiresAt: now() + 60_000 },
  });
  const text = `wharf_${id}_${secret}`;
  const identity = await access.identify(basic('ann', text));
  assert.equal(rights(identity, 'team/web'), 'pull list');
  await assert.rejects(
    async () => access.identify(basic('bob', text)),
    (error) => isKind(error, 'unauthenticated'),
  );
  const bearer = tokens.issue(
    { kind: 'user', name: 'ann', token: id },
    [{ type: 'repository', name: 'team/web', actions: ['pull', 'push'] }],
    300,
  );
  const through = await access.identify(request(`Bearer ${bearer}`));
  assert.equal(rights(through, 'team/web'), 'pull');
  advance(61_000);
  assert.equal(rights(through, 'team/web'), '');
  await assert.rejects(
    async () => access.identify(basic('ann', text)),
    (error) => isKind(error, 'unauthenticated'),
  );
});

test('Directory.permits() keeps robots to their namespace and patterns', () => {
  const { directory, now } = registry();
  const robot = {
    ...{ namespace: 'team', description: '', secret: hashSecret('x'), createdAt: now(), isDisabled: false },
    permissions: [
      { repository: 'team/web/*', rights: ['push'] as const },
      { repository: '**', rights: ['pull'] as const },
    ],
  };
  directory.robots.put('team+ci', robot);
  const ci = { kind: 'robot', name: 'team+ci' } as const;
  assert.equal(directory.permits(ci, 'push', 'team/web/a'), true);
  assert.equal(directory.permits(ci, 'push', 'team/web/a/b'), false);
  assert.equal(directory.permits(ci, 'pull', 'team/x'), true);
  assert.equal(directory.permits(ci, 'pull', 'other/x'), false);
  directory.robots.put('team+ci', { ...robot, isDisabled: true });
  assert.equal(directory.permits(ci, 'pull', 'team/x'), false);
  assert.equal(directory.permits(ANONYMOUS, 'push', 'open/box'), false);
});

test('Throttle.waitMs() stays within its memory', () => {
  const throttle = new Throttle(() => 0, 10);
  for (let number = 0; number < 100; number += 1) throttle.failed(`u${number}`, 'one');
  assert.ok(throttle.waitMs('anybody', 'one') > 0, 'the address has to wait');
  assert.equal(throttle.waitMs('anybody', 'another'), 0);
});

test('matches() takes stars for parts, two stars for many, and nothing else for special', () => {
  assert.equal(matches('team/*', 'team/a'), true);
  assert.equal(matches('team/*', 'team/a/b'), false);
  assert.equal(matches('team/**', 'team/a/b'), true);
  assert.equal(matches('v1.*', 'v1x2'), false);
  assert.equal(isPattern('a(b)+'), false);
  assert.equal(isPattern('*a*a*a*a*a*a*a'), false);
});

test('verifyPassword() knows its own hashes and no other text', async () => {
  assert.equal(await verifyPassword('correct horse', password), true);
  assert.equal(await verifyPassword('wrong', password), false);
  assert.equal(await verifyPassword('', 'nonsense'), false);
});

test('Authenticator.refresh() lets others in while somebody elsewhere guesses', () => {
  const { directory, authenticator, now } = registry();
  const secret = makeSecret();
  directory.tokens.put('0123456789abcdef', {
    ...{ kind: 'refresh', owner: 'ann', description: '', secret: hashSecret(secret), createdAt: now() },
  });
  for (let round = 0; round < 100; round += 1)
    assert.throws(() =>
      authenticator.refresh(`wharf_${round.toString(16).padStart(16, '0')}_${makeSecret()}`, '10.9.9.9'),
    );
  assert.throws(
    () => authenticator.refresh('nonsense', '10.9.9.9'),
    (error) => isKind(error, 'resource-exhausted'),
  );
  assert.equal(authenticator.refresh(`wharf_0123456789abcdef_${secret}`, '10.0.0.1').name, 'ann');
});
