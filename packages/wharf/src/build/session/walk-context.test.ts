import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { PatternList } from '@wharf/builder/files/pattern-list';
import fc from 'fast-check';
import { followPaths } from './follow-paths.ts';
import { PathFilter } from './path-filter.ts';
import { walkContext } from './walk-context.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-walk-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

function tree(...names: readonly string[]): string {
  const root = mkdtempSync(join(scratch, 't-'));
  for (const name of names) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), '');
  }
  return root;
}

function names(root: string, selection: Partial<Parameters<typeof walkContext>[1]>): readonly string[] {
  return [...walkContext(root, { include: [], exclude: [], follow: [], ...selection })].map(({ name }) => name);
}

test('walkContext() tells directories before what is in them, siblings by their bytes', () => {
  const root = tree('a/b', 'a.b', 'é', 'z', '\u{1f600}', '\uffee');
  assert.deepEqual(names(root, {}), ['a', 'a/b', 'a.b', 'z', 'é', '\uffee', '\u{1f600}']);
});

test('walkContext() leaves out what is excluded, but for what is taken back, with the directories above that', () => {
  const root = tree('node_modules/x/y', 'node_modules/keep/z', 'src/a.log', 'src/b', 'top.log');
  assert.deepEqual(names(root, { exclude: ['node_modules', '**/*.log', '!node_modules/keep'] }), [
    ...['node_modules', 'node_modules/keep', 'node_modules/keep/z', 'src', 'src/b'],
  ]);
  assert.deepEqual(names(root, { include: ['src/b', 'no*/keep'] }), [
    ...['node_modules', 'node_modules/keep', 'node_modules/keep/z', 'src', 'src/b'],
  ]);
});

test('walkContext() follows paths through symlinks, which end at its root', () => {
  const root = tree('real/deep/file', 'other', 'real/unwanted', 'up');
  symlinkSync('real/deep', join(root, 'way'));
  symlinkSync('../../up', join(root, 'real/deep/link'));
  symlinkSync('/../../other', join(root, 'absolute'));
  symlinkSync('loop', join(root, 'loop'));
  assert.deepEqual(names(root, { follow: ['way/file', 'way/link', 'absolute', 'missing'] }), [
    ...['absolute', 'other', 'real', 'real/deep', 'real/deep/file', 'real/deep/link', 'up', 'way'],
  ]);
  assert.equal(followPaths(root, ['way', '.']), undefined);
  assert.deepEqual(followPaths(root, ['wa*']), ['real/deep', 'wa*']);
  assert.deepEqual(names(root, { follow: ['loop'] }), ['loop']);
});

test('walkContext() refuses a name that is no UTF-8, unless it is left out', () => {
  const root = tree('fine');
  writeFileSync(Buffer.from(`${root}/\xff`, 'latin1'), '');
  assert.throws(() => names(root, {}), { kind: 'invalid-argument', message: /its name is no UTF-8/ });
  assert.deepEqual(names(root, { follow: ['fine'] }), ['fine']);
});

test('PathFilter matches as the daemon does', () => {
  const part = fc.constantFrom('a', 'b', '*', '?', '**', 'a*');
  const pattern = fc
    .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 3 }))
    .map(([keeps, parts]) => `${keeps ? '!' : ''}${parts.join('/')}`);
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), path, (patterns, parts) => {
      const filter = new PathFilter(patterns);
      let verdicts = filter.root;
      for (let depth = 1; depth <= parts.length; depth += 1) {
        const name = parts.slice(0, depth).join('/');
        verdicts = filter.verdicts(name, verdicts);
        assert.equal(
          filter.matches(verdicts),
          new PatternList(patterns).matches(name),
          `${name} by ${patterns.join(' ')}`,
        );
      }
    }),
  );
});
