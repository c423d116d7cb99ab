import assert from 'node:assert/strict';
import { chownSync, closeSync, lstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attachMount, bindMountWith, cloneMount, MOUNT_ATTR, setMountAttributes } from './detached-mounts.ts';
import { O } from './fsx.ts';
import { isMountPoint, listMounts, makePrivate, mount, unmount } from './mount.ts';
import { CLONE, unshare } from './namespaces.ts';
import { temporaryDirectory } from './test-support.ts';
import { openUserNamespace } from './user-namespace.ts';

// A mount namespace of our own: nothing below is seen outside, and all of it ends with this process.
unshare(CLONE.FS | CLONE.NEWNS);
makePrivate('/', { recursive: true });

function scratch(): Disposable & { readonly path: string; readonly at: (name: string) => string } {
  const directory = temporaryDirectory();
  mount({ source: 'test', target: directory.path, type: 'tmpfs' });
  for (const name of ['source', 'target']) mkdirSync(join(directory.path, name));
  return {
    path: directory.path,
    at: (name) => join(directory.path, name),
    [Symbol.dispose]() {
      unmount(directory.path, { detach: true });
      directory[Symbol.dispose]();
    },
  };
}

test('cloneMount() shows nothing until attachMount() puts it somewhere', () => {
  using directory = scratch();
  writeFileSync(directory.at('source/file'), 'x');
  const before = listMounts().length;
  const tree = cloneMount({ path: directory.at('source') });
  try {
    assert.equal(listMounts().length, before);
    attachMount(tree, { path: directory.at('target') });
    assert.equal(lstatSync(directory.at('target/file')).size, 1);
  } finally {
    closeSync(tree);
  }
  assert.equal(isMountPoint(directory.at('target')), true);
});

test('cloneMount() and attachMount() take descriptors, so that no path is walked', () => {
  using directory = scratch();
  writeFileSync(directory.at('source/file'), 'x');
  const source = openSync(directory.at('source'), O.PATH);
  const target = openSync(directory.at('target'), O.PATH);
  try {
    bindMountWith({ directory: source, path: '' }, { directory: target, path: '' }, { recursive: false });
  } finally {
    closeSync(source);
    closeSync(target);
  }
  assert.equal(lstatSync(directory.at('target/file')).size, 1);
});

test('setMountAttributes() makes a tree read-only with all below it, or only its top', () => {
  using directory = scratch();
  mkdirSync(directory.at('source/below'));
  mount({ source: 'below', target: directory.at('source/below'), type: 'tmpfs' });
  const from = { path: directory.at('source') };
  const to = { path: directory.at('target') };
  bindMountWith(from, to, { set: MOUNT_ATTR.RDONLY, recursive: true });
  assert.throws(() => writeFileSync(directory.at('target/file'), ''), { code: 'EROFS' });
  assert.throws(() => writeFileSync(directory.at('target/below/file'), ''), { code: 'EROFS' });
  unmount(directory.at('target'), { detach: true });

  const tree = cloneMount(from, { recursive: true });
  setMountAttributes({ directory: tree, path: '' }, { set: MOUNT_ATTR.RDONLY });
  attachMount(tree, to);
  closeSync(tree);
  assert.throws(() => writeFileSync(directory.at('target/file'), ''), { code: 'EROFS' });
  writeFileSync(directory.at('target/below/file'), '');
  setMountAttributes(to, { clear: MOUNT_ATTR.RDONLY });
  writeFileSync(directory.at('target/file'), '');
});

test('openUserNamespace() maps the owners of files both ways through a mount', () => {
  using directory = scratch();
  writeFileSync(directory.at('source/mine'), '');
  chownSync(directory.at('source/mine'), 1000, 1001);
  writeFileSync(directory.at('source/other'), '');
  const namespace = openUserNamespace({
    uids: [{ inside: 1000, outside: 33, count: 1 }],
    gids: [{ inside: 1001, outside: 34, count: 1 }],
  });
  try {
    bindMountWith(
      { path: directory.at('source') },
      { path: directory.at('target') },
      { userNamespace: namespace, recursive: false },
    );
  } finally {
    closeSync(namespace);
  }
  const mine = lstatSync(directory.at('target/mine'));
  assert.deepEqual([mine.uid, mine.gid], [33, 34]);
  // An owner without a mapping is nobody, and nobody can be given to a file either.
  assert.equal(lstatSync(directory.at('target/other')).uid, 65534);
  chownSync(directory.at('target/mine'), 33, 34);
  assert.throws(() => chownSync(directory.at('target/mine'), 5, 5), { code: 'EOVERFLOW' });
  assert.equal(lstatSync(directory.at('source/mine')).uid, 1000);
});

test('openUserNamespace() refuses overlapping ranges and leaves no process behind', () => {
  const ranges = [
    { inside: 0, outside: 0, count: 10 },
    { inside: 5, outside: 20, count: 10 },
  ];
  assert.throws(() => openUserNamespace({ uids: ranges, gids: ranges }), { code: 'EINVAL' });
  for (let round = 0; round < 50; round++) {
    const uids = [{ inside: 0, outside: 100_000 + round, count: 65_536 }];
    closeSync(openUserNamespace({ uids, gids: uids }));
  }
});
