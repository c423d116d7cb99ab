import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remapOf } from './userns-remap.ts';

const files = {
  passwd: 'root:x:0:0::/root:/bin/sh\nbuilds:x:1001:1001::/:/bin/false\n',
  group: 'root:x:0:\nbuilds:x:1001:\nstaff:x:50:\n',
  subuid: '# kept for containers\nbuilds:100000:65536\nother:1:1\nbuilds:300000:10\n',
  subgid: '1001:200000:65536\nstaff:500000:65536\n',
};

test('remapOf() lays the ranges of subuid end to end, by name or number', () => {
  const uids = [
    { inside: 0, outside: 100_000, count: 65_536 },
    { inside: 65_536, outside: 300_000, count: 10 },
  ];
  const gids = [{ inside: 0, outside: 200_000, count: 65_536 }];
  assert.deepEqual(remapOf('builds', files), { uids, gids });
  assert.deepEqual(remapOf('1001', files), { uids, gids });
  assert.deepEqual(remapOf('builds:staff', files).gids, [{ inside: 0, outside: 500_000, count: 65_536 }]);
});

test('remapOf() has a range for "default", that of dockremap where it has one', () => {
  assert.deepEqual(remapOf('default', files).uids, [{ inside: 0, outside: 536_870_912, count: 65_536 }]);
  const own = { ...files, subuid: 'dockremap:7000000:65536\n', subgid: 'dockremap:7000000:65536\n' };
  assert.deepEqual(remapOf('default', own).uids, [{ inside: 0, outside: 7_000_000, count: 65_536 }]);
});

test('remapOf() refuses what is not there, and users without ranges', () => {
  assert.throws(() => remapOf('nobody-here', files), {
    kind: 'invalid-argument',
    message: /uid lookup for "nobody-here"/,
  });
  assert.throws(() => remapOf('builds:nogroup', files), { message: /gid lookup for "nogroup"/ });
  assert.throws(() => remapOf('root', files), { message: /no subuid ranges found for user "root"/ });
  assert.throws(() => remapOf('a:b:c', files), {
    message: /Invalid user\/group specification in --userns-remap: "a:b:c"/,
  });
});
