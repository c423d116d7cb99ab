import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDotenv, parseRawEnv } from './dotenv.ts';
import { Problem } from './problem.ts';

const OUTSIDE: Readonly<Record<string, string>> = { HOME: '/home/me', A: 'outside' };

function read(source: string, parse = parseDotenv): Record<string, string> {
  const values = new Map<string, string>();
  parse(source, values, { file: '.env', lookup: (name) => OUTSIDE[name] });
  return Object.fromEntries(values);
}

const CASES: readonly (readonly [string, string, Record<string, string>])[] = [
  ['a pair', 'B=1\n', { B: '1' }],
  ['spaces around the equals sign', 'B = 1 \n', { B: '1' }],
  ['a colon', 'B: 1\n', { B: '1' }],
  ['export', 'export B=1\nexport\tC=2\n', { B: '1', C: '2' }],
  ['a name that begins with export', 'exportB=1\n', { exportB: '1' }],
  ['remarks and blank lines', '# x\n\n  # y\nB=1\n#end', { B: '1' }],
  ['a remark after a value', 'B=1 # x\nC=1#x\nD="1" # x\n', { B: '1', C: '1#x', D: '1' }],
  ['no value', 'B=\nC=""\n', { B: '', C: '' }],
  ['a name alone', 'HOME\nNOT_THERE\nB=1\n', { HOME: '/home/me', B: '1' }],
  ['single quotes', "B='a $HOME \\n \"'\n", { B: 'a $HOME \\n "' }],
  ['double quotes', 'B="a $HOME\\n\\t\\"c\\" \\$HOME"\n', { B: 'a /home/me\n\t"c" $HOME' }],
  ['several lines in quotes', 'B="a\nb"\nC=\'c\nd\'\n', { B: 'a\nb', C: 'c\nd' }],
  ['variables of the file', 'B=1\nC=${B}2\nD=$A\n', { B: '1', C: '12', D: 'outside' }],
  ['defaults', 'B=${NOT_THERE:-x}\n', { B: 'x' }],
  ['Windows line ends', 'B=1\r\nC="2"\r\n', { B: '1', C: '2' }],
  ['a byte order mark', '\ufeffB=1\n', { B: '1' }],
  ['dots, dashes, brackets and letters', 'a.b-c[0]=1\nÄ=2\n', { 'a.b-c[0]': '1', Ä: '2' }],
  ['no line end at the end', 'B=1', { B: '1' }],
  ['text that looks like a pair', 'B=c=d\n', { B: 'c=d' }],
  ['dollar signs doubled', 'B=$$x\n', { B: '$x' }],
];

for (const [what, source, expected] of CASES)
  test(`parseDotenv() reads ${what}`, () => assert.deepEqual(read(source), expected));

const REFUSED: readonly (readonly [string, string])[] = [
  ['B=1\nC="x\n', 'failed to read .env: line 3: unterminated quoted value "x'],
  ['a b=1\n', 'failed to read .env: line 1: key cannot contain a space'],
  ['A+=1\n', 'failed to read .env: line 1: unexpected character "+" in variable name "A+=1"'],
  ['B=${X:?no x}\n', 'failed to read .env: required variable X is missing a value: no x'],
  ['B="${"\n', 'failed to read .env: Invalid template: "${"'],
];

for (const [source, message] of REFUSED)
  test(`parseDotenv() refuses ${JSON.stringify(source)}`, () =>
    assert.throws(
      () => read(source),
      (error) => error instanceof Problem && error.message === message,
    ));

test('parseDotenv() reads or refuses, whatever it is given', () => {
  const piece = fc.constantFrom('A', '=', '"', "'", '\\', '\n', '#', ' ', '$', '${', '}', ':', 'export ', '\r', 'é');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      try {
        read(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof Problem, String(error));
      }
    }),
  );
});

test('parseRawEnv() takes values as they are', () => {
  const source = '# x\nB="q $A" # y\nHOME\nNOT_THERE\n  C= z \n';
  assert.deepEqual(read(source, parseRawEnv), { B: '"q $A" # y', HOME: '/home/me', C: ' z ' });
});

test('parseRawEnv() refuses lines without a name and names with spaces', () => {
  assert.throws(() => read('=1\n', parseRawEnv), /no variable name on line '=1'/);
  assert.throws(() => read('a b=1\n', parseRawEnv), /variable 'a b' contains whitespaces/);
});
