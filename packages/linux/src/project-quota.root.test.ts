import assert from 'node:assert/strict';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makePrivate, mount, unmount } from './mount.ts';
import { CLONE, unshare } from './namespaces.ts';
import { lacksProjectQuota, projectIdOf, projectUsage, setProjectId, setProjectLimit } from './project-quota.ts';
import { runTool } from './run-tool.ts';
import { temporaryDirectory } from './test-support.ts';

unshare(CLONE.FS | CLONE.NEWNS);
makePrivate('/', { recursive: true });

/** An ext4 of its own in a file; undefined when this kernel cannot mount it so. */
async function ext4(features: string, options: string): Promise<(Disposable & { readonly path: string }) | undefined> {
  const directory = temporaryDirectory();
  const image = join(directory.path, 'image');
  const path = join(directory.path, 'mnt');
  writeFileSync(image, '');
  truncateSync(image, 32 * 1024 * 1024);
  mkdirSync(path);
  const made = await runTool({ path: '/usr/sbin/mkfs.ext4', argv: ['mkfs.ext4', '-q', ...features.split(' '), image] });
  assert.equal(made.code, 0, made.stderr.toString());
  const mounted = await runTool({ path: '/bin/mount', argv: ['mount', '-o', options, image, path] });
  if (mounted.code !== 0) {
    directory[Symbol.dispose]();
    return undefined;
  }
  return {
    path,
    [Symbol.dispose]() {
      unmount(path);
      directory[Symbol.dispose]();
    },
  };
}

test('setProjectId() is inherited by what is made in the directory', async (t) => {
  using filesystem = await ext4('-I 256 -O project', 'loop');
  if (filesystem === undefined) return t.skip('this kernel mounts no ext4 with projects');
  const tree = join(filesystem.path, 'tree');
  mkdirSync(tree);
  assert.equal(projectIdOf(tree), 0);
  setProjectId(tree, 4711);
  mkdirSync(join(tree, 'below'));
  assert.equal(projectIdOf(join(tree, 'below')), 4711);
  return undefined;
});

test('setProjectLimit() bounds a tree, and 0 frees it', async (t) => {
  using filesystem = await ext4('-I 256 -O quota,project -E quotatype=prjquota', 'loop,prjquota');
  if (filesystem === undefined) return t.skip('this kernel keeps no project quotas');
  const tree = join(filesystem.path, 'tree');
  mkdirSync(tree);
  setProjectId(tree, 7);
  setProjectLimit(tree, 7, 1024 * 1024);
  assert.throws(() => writeFileSync(join(tree, 'big'), Buffer.alloc(2 * 1024 * 1024)), { code: 'EDQUOT' });
  assert.equal(projectUsage(tree, 7).limitBytes, 1024 * 1024);
  setProjectLimit(tree, 7, 0);
  writeFileSync(join(tree, 'big'), Buffer.alloc(2 * 1024 * 1024));
  return undefined;
});

test('lacksProjectQuota() tells a filesystem without quotas from other failures', () => {
  using directory = temporaryDirectory();
  mount({ source: 'none', target: directory.path, type: 'tmpfs' });
  try {
    assert.throws(() => setProjectLimit(directory.path, 7, 1024), lacksProjectQuota);
    assert.throws(
      () => setProjectLimit(join(directory.path, 'missing'), 7, 1024),
      (error) => !lacksProjectQuota(error),
    );
  } finally {
    unmount(directory.path);
  }
});
