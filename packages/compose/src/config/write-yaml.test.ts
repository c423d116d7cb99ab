import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { load } from 'js-yaml';
import { Float, Timestamp } from '../load/values.ts';
import { byNaturalOrder, type Tree } from './tree.ts';
import { writeJson } from './write-json.ts';
import { writeYaml } from './write-yaml.ts';

const map = (entries: readonly (readonly [string, Tree])[], order: 'sorted' | 'fields' = 'sorted'): Tree => ({
  order,
  entries,
});

/** A text, and how go-yaml v3 writes it. */
const TEXTS: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['two words', 'two words'],
  ['', '""'],
  ['true', '"true"'],
  ['yes', '"yes"'],
  ['N', '"N"'],
  ['null', '"null"'],
  ['~', '"~"'],
  ['1', '"1"'],
  ['0x1f', '"0x1f"'],
  ['1e3', '"1e3"'],
  ['1.5', '"1.5"'],
  ['12:30', '"12:30"'],
  ['2024-01-01', '"2024-01-01"'],
  ['80:80', '80:80'],
  ['1.2.3', '1.2.3'],
  ['a: b', "'a: b'"],
  ['a #b', "'a #b'"],
  ['a#b', 'a#b'],
  ['a:', "'a:'"],
  ['- a', "'- a'"],
  ['-a', '-a'],
  ['?a', '?a'],
  ['*a', "'*a'"],
  ['&a', "'&a'"],
  ["'a'", "'''a'''"],
  ["it's", "it's"],
  ['"a"', `'"a"'`],
  ['[a]', "'[a]'"],
  ['a,b', 'a,b'],
  ['@a', "'@a'"],
  ['%a', "'%a'"],
  [' a', "' a'"],
  ['a ', "'a '"],
  ['a\tb', '"a\\tb"'],
  ['a\\b', 'a\\b'],
  ['---', "'---'"],
  ['<<', '<<'],
  ['=', '='],
  ['é', 'é'],
  ['😀', '"\\U0001F600"'],
  ['\u0007\u001b', '"\\a\\e"'],
  ['\r', '"\\r"'],
  ['\u0085', '"\\N"'],
];

for (const [text, expected] of TEXTS)
  test(`writeYaml() writes ${JSON.stringify(text)} as ${expected}`, () =>
    assert.equal(writeYaml(map([['k', text]])), `k: ${expected}\n`));

const BLOCKS: readonly (readonly [string, string])[] = [
  ['a\nb', '|-\n  a\n  b'],
  ['a\nb\n', '|\n  a\n  b'],
  ['a\n\n', '|+\n  a\n'],
  ['a\n\nb', '|-\n  a\n\n  b'],
  [' a\nb', '|2-\n   a\n  b'],
  ['a \nb', '"a \\nb"'],
  ['a\nb ', '"a\\nb "'],
];

for (const [text, expected] of BLOCKS)
  test(`writeYaml() writes the lines ${JSON.stringify(text)}`, () =>
    assert.equal(writeYaml(map([['k', text]])), `k: ${expected}\n`));

test('writeYaml() writes nested lists and mappings, empty ones in brackets', () => {
  const tree = map(
    [
      [
        'list',
        [
          [1, [2]],
          map([
            ['a', true],
            ['b', ['x', 'y\nz']],
          ]),
          [],
          null,
        ],
      ],
      ['none', map([])],
      ['inner', map([['deep', map([['x', 'y']])]])],
    ],
    'fields',
  );
  assert.equal(
    writeYaml(tree),
    'list:\n  - - 1\n    - - 2\n  - a: true\n    b:\n      - x\n      - |-\n        y\n        z\n  - []\n  - null\nnone: {}\ninner:\n  deep:\n    x: "y"\n',
  );
});

test('writeYaml() writes numbers as Go does', () => {
  const numbers = [
    1,
    -2,
    10n ** 18n,
    new Float(0.1, 32),
    new Float(1e6),
    new Float(1e21),
    new Float(Infinity),
    new Float(NaN),
  ];
  assert.equal(
    writeYaml([...numbers, new Timestamp('2024-01-01T00:00:00Z')]),
    [
      '- 1',
      '- -2',
      '- 1000000000000000000',
      '- 0.1',
      '- 1e+06',
      '- 1e+21',
      '- .inf',
      '- .nan',
      '- 2024-01-01T00:00:00Z',
      '',
    ].join('\n'),
  );
});

test('writeYaml() sorts keys as people do', () => {
  const keys = ['b10', 'b9', 'a', '_x', 'B', 'a1', 'a.b', 'a-b', 'a01', '10', '9'];
  assert.deepEqual([...keys].sort(byNaturalOrder), ['_x', '9', '10', 'B', 'a', 'a-b', 'a.b', 'a1', 'a01', 'b9', 'b10']);
});

test('writeYaml() gives a key of more than 128 bytes a line of its own', () => {
  const long = 'k'.repeat(129);
  assert.equal(
    writeYaml(
      map([
        [long, map([['a', 1]])],
        ['x', map([[long, 'v']])],
      ]),
    ),
    `? ${long}\n: a: 1\nx:\n  ? ${long}\n  : v\n`,
  );
});

test('writeYaml() writes what a YAML parser reads back', () => {
  const texts = fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(texts, (values) => {
      // What js-yaml takes for the end of a line, go-yaml does not.
      fc.pre(!/[\u0085\u2028\u2029]/.test(JSON.stringify(values)) && !('__proto__' in values));
      const tree = map(Object.entries(values));
      assert.deepEqual(Object.keys(values).length === 0 ? {} : load(writeYaml(tree)), { ...values });
    }),
  );
});

test('writeJson() writes as encoding/json does', () => {
  const tree = map([
    ['b', [1, new Float(0.1, 32), new Float(1e21), map([])]],
    ['a', '<&>\u2028"\n'],
    ['10', null],
    ['9', []],
  ]);
  assert.equal(writeJson(tree), '{"10":null,"9":[],"a":"\\u003c\\u0026\\u003e\\u2028\\"\\n","b":[1,0.1,1e+21,{}]}');
  assert.equal(writeJson(map([['a', [map([['b', 1]])]]]), '  '), '{\n  "a": [\n    {\n      "b": 1\n    }\n  ]\n}');
});
