import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Problem } from './problem.ts';
import { Float, goString, Timestamp, type Value } from './values.ts';
import { parseYaml } from './yaml-nodes.ts';
import { resolvePlain } from './yaml-scalars.ts';
import { documentValue } from './yaml-values.ts';

function read(source: string): { value: Value; resets: readonly string[] } {
  const file = parseYaml('/x/compose.yaml', source);
  const [document] = file.documents;
  if (document === undefined) throw new Error('no document');
  const { value, resets } = documentValue(file, document);
  return { value, resets: resets.map((keys) => keys.join('.')) };
}

function plain(source: string): unknown {
  return JSON.parse(JSON.stringify(read(source).value));
}

function problem(source: string): Problem {
  try {
    read(source);
  } catch (error) {
    assert.ok(error instanceof Problem, String(error));
    return error;
  }
  return assert.fail('no problem');
}

const SCALARS: readonly (readonly [string, string])[] = [
  ['', 'null'],
  ['~', 'null'],
  ['Null', 'null'],
  ['true', 'boolean true'],
  ['False', 'boolean false'],
  ['yes', 'string yes'],
  ['on', 'string on'],
  ['0', 'number 0'],
  ['-17', 'number -17'],
  ['+1', 'number 1'],
  ['0x1F', 'number 31'],
  ['0o17', 'number 15'],
  ['0777', 'number 511'],
  ['0b101', 'number 5'],
  ['1_000', 'number 1000'],
  ['08', 'float 8'],
  ['9223372036854775807', 'bigint 9223372036854775807'],
  ['1.0', 'float 1'],
  ['1e6', 'float 1e+06'],
  ['.5', 'float 0.5'],
  ['-.inf', 'float -Inf'],
  ['.nan', 'float NaN'],
  ['1e999', 'string 1e999'],
  ['1.2.3', 'string 1.2.3'],
  ['12:30', 'string 12:30'],
  ['2024-02-30', 'string 2024-02-30'],
  ['2024-2-3', 'timestamp 2024-02-03T00:00:00Z'],
  ['2024-02-03T01:02:03.50+01:00', 'timestamp 2024-02-03T01:02:03.5+01:00'],
  ['2024-02-03 01:02:03', 'timestamp 2024-02-03T01:02:03Z'],
  ['1a', 'string 1a'],
  ['-', 'string -'],
];

for (const [text, expected] of SCALARS)
  test(`resolvePlain() takes "${text}" for ${expected}`, () => {
    const value = resolvePlain(text);
    assert.equal(value === null ? 'null' : `${kindOf(value)} ${goString(value)}`, expected);
  });

function kindOf(value: Value): string {
  if (value instanceof Float) return 'float';
  return value instanceof Timestamp ? 'timestamp' : typeof value;
}

test('documentValue() writes aliases out and merges with <<, own keys first', () => {
  assert.deepEqual(
    plain('a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {<<: *a, y: 5}\nd: {x: 9, <<: [*b, *a]}\ne: *a\n'),
    {
      a: { x: 1, y: 2 },
      b: { y: 3, z: 4 },
      c: { x: 1, y: 5 },
      d: { x: 9, y: 3, z: 4 },
      e: { x: 1, y: 2 },
    },
  );
});

test('documentValue() takes a quoted "<<" for a key like others', () => {
  assert.deepEqual(plain('a: {"<<": {x: 1}}'), { a: { '<<': { x: 1 } } });
});

test('documentValue() keeps a key "__proto__" to itself', () => {
  const { value } = read('__proto__: {a: 1}');
  assert.deepEqual(Object.keys(value as object), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['a'], undefined);
});

test('documentValue() leaves out !reset and remembers it and !override', () => {
  const { value, resets } = read('a:\n  b: !reset [x]\n  c: !override [y]\n  d: [1, !reset 2]\n');
  assert.deepEqual(JSON.parse(JSON.stringify(value)), { a: { c: ['y'], d: [1] } });
  assert.deepEqual(resets, ['a.b', 'a.c', 'a.d.1']);
});

test('parseYaml() reads several documents, remarks alone are none', () => {
  assert.equal(parseYaml('f', 'a: 1\n---\nb: 2\n').documents.length, 2);
  assert.equal(parseYaml('f', '# nothing\n').documents.length, 0);
  assert.equal(parseYaml('f', '').documents.length, 0);
});

const BROKEN: readonly (readonly [string, string, number, number])[] = [
  ['a: b: c', 'yaml: mapping values are not allowed in this context', 1, 5],
  ['a:\n  b: 1\n c: 2\n', 'yaml: line 3: did not find expected key', 3, 2],
  ['a:\n\tb: 1\n', 'yaml: line 2: found character that cannot start any token', 2, 1],
  ['a: "x\n', 'yaml: line 2: found unexpected end of stream', 2, 1],
  ['a:\n  b: [1, 2\n  c: 3\n', "yaml: line 3: did not find expected ',' or ']'", 3, 3],
  ['a:\n  b: {c: 1\n', "yaml: line 3: did not find expected ',' or '}'", 3, 1],
  ['a:\n  b: [}\n', 'yaml: line 2: did not find expected node content', 2, 7],
  ['a:\n  b: "x" y\n', 'yaml: line 2: did not find expected key', 2, 10],
  ['a:\n  b: - c\n', 'yaml: line 2: block sequence entries are not allowed in this context', 2, 6],
  ['a:\n  - b\n    c: 1\n', 'yaml: line 3: mapping values are not allowed in this context', 3, 6],
  ['a: *nope\n', "yaml: unknown anchor 'nope' referenced", 1, 4],
  ['a: &a [*a]\n', "yaml: anchor 'a' value contains itself", 1, 8],
  ['a: {1: x}\n', 'non-string key in a: 1', 1, 5],
  ['- {true: x}\n', 'non-string key in 0: true', 1, 4],
  ['x:\n  a: 1\n  a: 2\n', 'failed to parse /x/compose.yaml: line 3: mapping key "a" already defined at line 2', 3, 3],
  ['a: 1\na: 2\n', 'yaml: unmarshal errors:\n  line 2: mapping key "a" already defined at line 1', 2, 1],
  ['a: {<<: 1}\n', 'yaml: map merge requires map or sequence of maps as the value', 1, 9],
];

for (const [source, message, line, column] of BROKEN)
  test(`YAML ${JSON.stringify(source)} is refused with its place`, () => {
    const found = problem(source);
    assert.equal(found.message, message);
    assert.deepEqual([found.at?.line, found.at?.column], [line, column]);
  });

test('documentValue() refuses aliases that grow without end', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i += 1) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}*a${i - 1}]`);
  assert.equal(problem(lines.join('\n')).message, 'yaml: document contains excessive aliasing');
});
