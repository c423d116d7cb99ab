import assert from 'node:assert/strict';
import test from 'node:test';
import { resolveUser } from './users.ts';

const database = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:A:/home/alice:/bin/sh\n',
  group: 'root:x:0:\nstaff:x:50:alice\nwheel:x:10:alice,root\nalice:x:1001:\n',
};

test('resolveUser() finds names with their groups and home', () => {
  assert.deepEqual(resolveUser('alice', database), {
    uid: 1000,
    gid: 1001,
    additionalGids: [1001, 50, 10],
    home: '/home/alice',
  });
});

test('resolveUser() takes numbers that the image does not know', () => {
  assert.deepEqual(resolveUser('7:8', { passwd: undefined, group: undefined }), {
    uid: 7,
    gid: 8,
    additionalGids: [8],
    home: '/',
  });
});

test('resolveUser() is root without a user', () => {
  assert.equal(resolveUser('', database).uid, 0);
  assert.equal(resolveUser('', { passwd: undefined, group: undefined }).home, '/root');
});

test('resolveUser() adds groups by name and number', () => {
  assert.deepEqual(resolveUser('alice:staff', database, ['wheel', '99']).additionalGids, [50, 10, 99]);
});

test('resolveUser() refuses unknown names in words that clients match', () => {
  assert.throws(() => resolveUser('bob', database), /unable to find user bob: no matching entries in passwd file/);
  assert.throws(
    () => resolveUser('alice:none', database),
    /unable to find group none: no matching entries in group file/,
  );
  assert.throws(() => resolveUser('4294967296', database), /uids and gids must be in range 0-2147483647/);
});
