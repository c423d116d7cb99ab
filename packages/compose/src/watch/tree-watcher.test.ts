import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TreeWatcher } from './tree-watcher.ts';

/** A watched directory, and a way to wait until all of some paths have been told of. */
async function watched(given: { roots?: readonly string[]; ignored?: string } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'wharf-watch-'));
  mkdirSync(join(directory, 'src/deep'), { recursive: true });
  writeFileSync(join(directory, 'src/a'), 'a');
  const seen = new Set<string>();
  let wake = (): void => undefined;
  const watcher = new TreeWatcher({
    roots: (given.roots ?? ['src']).map((root) => join(directory, root)),
    isIgnored: (path) => given.ignored !== undefined && path.startsWith(join(directory, given.ignored)),
    onChange: (paths) => {
      for (const path of paths) seen.add(path.slice(directory.length + 1));
      wake();
    },
    warn: () => undefined,
  });
  await watcher.start();
  const until = async (...paths: readonly string[]): Promise<void> => {
    while (!paths.every((path) => seen.has(path))) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    ...{ directory, seen, until },
    write: (path: string, text = 'x') => writeFileSync(join(directory, path), text),
    [Symbol.dispose]: () => {
      watcher.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

test('TreeWatcher tells of files that change, come and go', async () => {
  using tree = await watched();
  assert.equal(tree.seen.size, 0);
  tree.write('src/a', 'b');
  tree.write('src/deep/new');
  await tree.until('src/a', 'src/deep/new');
  tree.seen.clear();
  rmSync(join(tree.directory, 'src/deep'), { recursive: true });
  await tree.until('src/deep', 'src/deep/new');
});

test('TreeWatcher misses nothing in directories that are filled as they are made', async () => {
  using tree = await watched();
  const wanted: string[] = [];
  for (let each = 0; each < 20; each += 1) {
    mkdirSync(join(tree.directory, `src/d${each}/e/f`), { recursive: true });
    for (let file = 0; file < 10; file += 1) {
      tree.write(`src/d${each}/e/f/${file}`);
      wanted.push(`src/d${each}/e/f/${file}`);
    }
  }
  await tree.until(...wanted);
});

test('TreeWatcher follows a directory that was renamed, and a tree that was moved in', async () => {
  using tree = await watched();
  mkdirSync(join(tree.directory, 'other/in'), { recursive: true });
  tree.write('other/in/file');
  renameSync(join(tree.directory, 'other'), join(tree.directory, 'src/moved'));
  await tree.until('src/moved/in/file');
  tree.write('src/moved/in/second');
  await tree.until('src/moved/in/second');
});

test('TreeWatcher watches a single file, also one that is replaced, and waits for what is not there', async () => {
  using tree = await watched({ roots: ['package.json', 'later/sub'] });
  tree.write('package.json');
  await tree.until('package.json');
  tree.seen.clear();
  tree.write('package.json.tmp', 'new');
  renameSync(join(tree.directory, 'package.json.tmp'), join(tree.directory, 'package.json'));
  await tree.until('package.json');
  assert.ok(!tree.seen.has('package.json.tmp'));
  mkdirSync(join(tree.directory, 'later/sub'), { recursive: true });
  tree.write('later/sub/file');
  await tree.until('later/sub/file');
});

test('TreeWatcher does not look into what is ignored', async () => {
  using tree = await watched({ ignored: 'src/node_modules' });
  mkdirSync(join(tree.directory, 'src/node_modules'));
  tree.write('src/node_modules/x');
  tree.write('src/z');
  await tree.until('src/z');
  assert.deepEqual([...tree.seen], ['src/z']);
});
