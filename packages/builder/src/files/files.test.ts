import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WharfError } from '@wharf/kit';
import fc from 'fast-check';
import { changeMode } from './mode.ts';
import { Pattern } from './pattern.ts';
import { PatternList, readIgnoreFile } from './pattern-list.ts';

const MATCHES: readonly (readonly [string, string, boolean])[] = [
  ['*', 'a', true],
  ['*', 'a/b', false],
  ['a*c', 'abbc', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c]x', 'bx', true],
  ['[^a-c]x', 'bx', false],
  ['\\*', '*', true],
  ['**', 'a/b/c', true],
  ['**/x', 'x', true],
  ['**/x', 'a/b/x', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**', 'a/x/y', true],
];

for (const [pattern, path, wanted] of MATCHES) {
  test(`Pattern ${pattern} ${wanted ? 'matches' : 'does not match'} ${path}`, () =>
    assert.equal(new Pattern(pattern).matches(path), wanted));
}

test('Pattern refuses unfinished classes and escapes', () => {
  for (const pattern of ['[', '[a', '[]', 'a\\', '[a-']) assert.throws(() => new Pattern(pattern), WharfError);
});

test('Pattern matching ends soon, whatever the pattern', () => {
  const piece = fc.constantFrom('*', '**', '**/', '?', 'a', '/', '[a-b]', '\\*');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      new Pattern(pieces.join('')).matches('a/'.repeat(40));
    }),
  );
});

test('PatternList lets the last match decide, takes all below a match, and takes back', () => {
  const list = new PatternList(['/build/', '*.log', '!build/keep', '!keep.log', '']);
  assert.deepEqual(
    ['build', 'build/x', 'build/keep', 'build/keep/y', 'a.log', 'keep.log', 'deep/a.log'].map((path) =>
      list.matches(path),
    ),
    [true, true, false, false, true, false, false],
  );
  assert.equal(new PatternList(['.', ' ']).isEmpty, true);
});

test('readIgnoreFile() leaves out remarks and blank lines', () => {
  assert.deepEqual(readIgnoreFile('\uFEFF# remark\r\n a \r\n\n!b'), ['a', '!b']);
});

const MODES: readonly (readonly [string, number, boolean, number])[] = [
  ['755', 0o600, false, 0o755],
  ['u+x', 0o644, false, 0o744],
  ['go-rwx', 0o777, false, 0o700],
  ['a=rX', 0o600, false, 0o444],
  ['a=rX', 0o700, true, 0o555],
  ['+t,u+s', 0o755, false, 0o5755],
  ['g=u', 0o640, false, 0o660],
];

for (const [text, before, isDirectory, after] of MODES) {
  test(`changeMode() of ${text} on ${before.toString(8)}`, () =>
    assert.equal(changeMode(text, before, isDirectory), after));
}
