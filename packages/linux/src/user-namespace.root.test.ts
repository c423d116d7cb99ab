import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asFileOwner } from './file-identity.ts';
import { isMountPoint } from './mount.ts';
import { inNetns, removePinnedNetns } from './namespaces.ts';
import { insideId, outsideId, pinUserAndNetwork } from './user-namespace.ts';

const ids = [
  { inside: 0, outside: 100_000, count: 1000 },
  { inside: 1000, outside: 500_000, count: 65_000 },
];

test('outsideId() and insideId() follow the ranges, and fall to nobody', () => {
  assert.deepEqual(
    [0, 999, 1000, 65_999].map((id) => outsideId(ids, id)),
    [100_000, 100_999, 500_000, 564_999],
  );
  assert.deepEqual(
    [100_000, 500_001].map((id) => insideId(ids, id)),
    [0, 1001],
  );
  assert.equal(outsideId(ids, 70_000), outsideId(ids, 65_534));
  assert.equal(insideId(ids, 7), 65_534);
});

test('asFileOwner() makes files as somebody else, loses no right, and comes back', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-identity-'));
  try {
    const capabilities = () => /CapEff:\s+(\w+)/.exec(readFileSync('/proc/thread-self/status', 'utf8'))?.[1];
    const before = capabilities();
    const during = asFileOwner({ uid: 4321, gid: 1234 }, () => {
      // A directory of root's, closed to all others.
      writeFileSync(join(directory, 'theirs'), '');
      return capabilities();
    });
    assert.equal(during, before);
    const { uid, gid } = statSync(join(directory, 'theirs'));
    assert.deepEqual([uid, gid], [4321, 1234]);
    assert.throws(() =>
      asFileOwner({ uid: 1, gid: 1 }, () => {
        throw new Error('work');
      }),
    );
    writeFileSync(join(directory, 'ours'), '');
    assert.equal(statSync(join(directory, 'ours')).uid, 0);
    assert.equal(capabilities(), before);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('pinUserAndNetwork() pins both, and leaves nothing when it cannot', () => {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-userns-'));
  const paths = { user: join(directory, 'user'), network: join(directory, 'net') };
  try {
    pinUserAndNetwork({ uids: ids, gids: ids }, paths);
    assert.ok(isMountPoint(paths.user) && isMountPoint(paths.network));
    assert.deepEqual(
      inNetns(paths.network, () => readFileSync('/proc/thread-self/net/dev', 'utf8').match(/^\s*\w+:/gm)?.length),
      1,
    );
    assert.throws(() => pinUserAndNetwork({ uids: ids, gids: ids }, paths), { code: 'EEXIST' });
    const other = { user: join(directory, 'other'), network: paths.network };
    assert.throws(() => pinUserAndNetwork({ uids: ids, gids: ids }, other), { code: 'EEXIST' });
    assert.ok(!existsSync(other.user));
    const overlapping = [ids[0], ids[0]].flatMap((range) => range ?? []);
    assert.throws(() =>
      pinUserAndNetwork({ uids: overlapping, gids: ids }, { ...other, network: join(directory, 'n2') }),
    );
  } finally {
    for (const path of Object.values(paths)) removePinnedNetns(path);
    rmSync(directory, { recursive: true, force: true });
  }
});
