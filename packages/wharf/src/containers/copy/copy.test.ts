import assert from 'node:assert/strict';
import { test } from 'node:test';
import { followedPath, localPath, parseSide, splitEntry } from './paths.ts';
import { type Place, planCopy, renamed } from './plan.ts';

test('parseSide() tells containers from paths', () => {
  const cases: Readonly<Record<string, readonly [string | undefined, string]>> = {
    'web:/etc': ['web', '/etc'],
    'web:': ['web', ''],
    'web:a:b': ['web', 'a:b'],
    './web:a': [undefined, './web:a'],
    '/web:a': [undefined, '/web:a'],
    file: [undefined, 'file'],
    '-': [undefined, '-'],
  };
  for (const [text, [container, path]] of Object.entries(cases)) {
    assert.deepEqual(parseSide(text), { container, path }, text);
  }
});

test('localPath() and splitEntry() keep what a path ends in', () => {
  const cases: readonly (readonly [path: string, local: string, directory: string, base: string])[] = [
    ['/a/b', '/a/b', '/a', 'b'],
    ['/a/b/', '/a/b/', '/a', 'b'],
    ['/a/b/.', '/a/b/.', '/a/b', '.'],
    ['/a/../b/.', '/b/.', '/b', '.'],
    ['/a', '/a', '/', 'a'],
    ['/', '/', '/', '/'],
    ['/.', '/.', '/', '.'],
  ];
  for (const [path, local, directory, base] of cases) {
    assert.equal(localPath(path), local, path);
    assert.deepEqual(splitEntry(local), { directory, base }, path);
  }
});

test('followedPath() keeps the end of the path and the name that was asked for', () => {
  assert.deepEqual(followedPath('/link', '/target'), { path: '/target', rebase: 'link' });
  assert.deepEqual(followedPath('/link/', '/x/link'), { path: '/x/link/', rebase: '' });
  assert.deepEqual(followedPath('/link/.', '/target'), { path: '/target/.', rebase: '' });
});

const FILE: Place = { path: '/src/f', exists: true, isDirectory: false };
const DIRECTORY: Place = { path: '/src/d', exists: true, isDirectory: true };
const CONTENT: Place = { path: '/src/d/.', exists: true, isDirectory: true };
const at = (path: string, kind: 'absent' | 'file' | 'directory'): Place => ({
  path,
  exists: kind !== 'absent',
  isDirectory: kind === 'directory',
});

test("planCopy() follows docker's rules", () => {
  const cases: readonly (readonly [Place, Place, object])[] = [
    [FILE, at('/dst', 'directory'), { directory: '/dst' }],
    [FILE, at('/dst', 'absent'), { directory: '/', rename: { from: 'f', to: 'dst' } }],
    [FILE, at('/a/g', 'file'), { directory: '/a', rename: { from: 'f', to: 'g' } }],
    [DIRECTORY, at('/dst', 'directory'), { directory: '/dst' }],
    [DIRECTORY, at('/dst', 'absent'), { directory: '/', rename: { from: 'd', to: 'dst' } }],
    [DIRECTORY, at('/dst/', 'absent'), { directory: '/', rename: { from: 'd', to: 'dst' } }],
    [CONTENT, at('/dst', 'absent'), { directory: '/', rename: { from: '.', to: 'dst' } }],
    [CONTENT, at('/dst', 'directory'), { directory: '/dst' }],
    [{ ...FILE, rebase: 'link' }, at('/g', 'absent'), { directory: '/', rename: { from: 'link', to: 'g' } }],
  ];
  for (const [source, destination, plan] of cases) assert.deepEqual(planCopy(source, destination), plan);
  assert.throws(() => planCopy(DIRECTORY, at('/f', 'file')), { message: 'cannot copy directory' });
  assert.throws(() => planCopy(FILE, at('/dst/', 'absent')), { message: 'no such directory' });
});

test('renamed() changes the first element only', () => {
  const rename = { from: 'd', to: 'e' };
  assert.deepEqual(
    ['d', 'd/', 'd/d/x', 'dd/d', 'x/d'].map((name) => renamed(name, rename)),
    ['e', 'e/', 'e/d/x', 'dd/d', 'x/d'],
  );
  const content = { from: '.', to: 'e' };
  assert.deepEqual(
    ['./', './a', '.hidden'].map((name) => renamed(name, content)),
    ['e/', 'e/a', '.hidden'],
  );
});
