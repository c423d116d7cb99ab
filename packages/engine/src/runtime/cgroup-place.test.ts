import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupPlace, checkCgroupParent } from './cgroup-place.ts';

test('cgroupPlace() puts containers below wharf, the parent asked for, or a slice', () => {
  assert.deepEqual(cgroupPlace('cgroupfs', undefined, 'id'), { directory: '/wharf/id', specPath: '/wharf/id' });
  assert.equal(cgroupPlace('cgroupfs', 'a/b', 'id').directory, '/a/b/id');
  assert.equal(cgroupPlace('cgroupfs', '/a', 'id').specPath, '/a/id');
  assert.deepEqual(cgroupPlace('systemd', '', 'id'), {
    directory: '/system.slice/wharf-id.scope',
    specPath: 'system.slice:wharf:id',
  });
  assert.equal(
    cgroupPlace('systemd', 'user-a-b.slice', 'id').directory,
    '/user.slice/user-a.slice/user-a-b.slice/wharf-id.scope',
  );
});

test('checkCgroupParent() refuses what leaves the tree and what is no slice', () => {
  for (const good of [undefined, '', '/a', 'a/b', 'x.slice', '../../a']) checkCgroupParent('cgroupfs', good);
  assert.equal(cgroupPlace('cgroupfs', '/../../a', 'id').directory, '/a/id');
  for (const bad of ['/', '..', '/a/../..', './']) {
    assert.throws(() => checkCgroupParent('cgroupfs', bad), /invalid cgroup-parent/);
  }
  for (const good of ['', 'a.slice', 'a-b.slice']) checkCgroupParent('systemd', good);
  for (const bad of ['/a', 'a', '.slice', 'a/b.slice', '-a.slice', 'a--b.slice']) {
    assert.throws(() => checkCgroupParent('systemd', bad), {
      message: 'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
    });
  }
});
