import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DockerfileError } from './location.ts';
import { type ExpandOptions, expand } from './shell-words.ts';

const VARIABLES = new Map([
  ['A', 'value'],
  ['EMPTY', ''],
  ['PATH', '/a/b/c.tar.gz'],
  ['B', 'x y'],
]);

function text(source: string, options: ExpandOptions = {}): string {
  try {
    return expand(source, VARIABLES, options).text;
  } catch (error) {
    assert.ok(error instanceof DockerfileError);
    return `error: ${error.message.replace(/^failed to process ".*": /, '')}`;
  }
}

const CASES: readonly (readonly [string, string])[] = [
  ['$A-${A}', 'value-value'],
  ['$UNSET.', '.'],
  ['\'$A\' \\$A "$A"', '$A $A value'],
  ['"a\\"b\\c"', 'a"b\\c'],
  ['${EMPTY:-d}${EMPTY-d}${UNSET-d}', 'dd'],
  ['${A:+w}${EMPTY:+w}${EMPTY+w}${UNSET+w}', 'ww'],
  ['${UNSET:-${EMPTY:-$A}}', 'value'],
  ['${UNSET?wanted}', 'error: UNSET: wanted'],
  ['${EMPTY:?}', 'error: EMPTY: is not allowed to be empty'],
  ['${PATH#*/}', 'a/b/c.tar.gz'],
  ['${PATH##*/}', 'c.tar.gz'],
  ['${PATH%.*}', '/a/b/c.tar'],
  ['${PATH%%.*}', '/a/b/c'],
  ['${PATH/\\//-}', '-a/b/c.tar.gz'],
  ['${PATH//\\//-}', '-a-b-c.tar.gz'],
  ['${PATH//?/x}', 'xxxxxxxxxxxxx'],
  ['${A/l*/!}', 'va!'],
  ['${A:x}', 'error: unsupported modifier (:x) in substitution'],
  ['${', "error: syntax error: missing '}'"],
  ['${A', "error: syntax error: missing '}'"],
  ['${A:-x', "error: syntax error: missing '}'"],
  ['${}', 'error: syntax error: bad substitution'],
  ["it's", 'error: unexpected end of statement while looking for matching single-quote'],
  ['"x', 'error: unexpected end of statement while looking for matching double-quote'],
  ['x\\', 'x'],
];

for (const [source, wanted] of CASES) {
  test(`expand() of ${source}`, () => assert.equal(text(source), wanted));
}

test('expand() can leave quotes, escapes and unset variables alone', () => {
  assert.equal(
    text(`"$A" 'b' \\c $U \${U:-d}`, { rawQuotes: true, rawEscapes: true, keepUnset: true }),
    `"value" 'b' \\c $U \${U:-d}`,
  );
  assert.equal(text('"$A"', { ignoreQuotes: true }), '"value"');
  assert.equal(text('c:\\x`$A', { escape: '`' }), 'c:\\x$A');
});

test('expand() cuts words at blanks that come from variables, not at quoted ones', () => {
  assert.deepEqual(expand(`a "b c" $B "$B"`, VARIABLES).words, ['a', 'b c', 'x', 'y', 'x y']);
});

test('expand() tells which variables it met', () => {
  const { matched, unmatched } = expand('$A ${UNSET:-x}', VARIABLES);
  assert.deepEqual([[...matched], [...unmatched]], [['A'], ['UNSET']]);
});

test('expand() ends soon, whatever it is given', () => {
  const piece = fc.constantFrom(
    '$',
    '{',
    '}',
    'A',
    ':',
    '-',
    '#',
    '%',
    '/',
    '*',
    '?',
    '"',
    "'",
    '\\',
    '<',
    ' ',
    'ü',
    '${A',
    '${PATH//',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      text(pieces.join(''));
      text(pieces.join(''), { rawQuotes: true, rawEscapes: true, keepUnset: true });
    }),
  );
});
