import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatCsv, parseGoCsv } from './go-csv.ts';

test('parseGoCsv() takes a line apart', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'a=1,b=2': ['a=1', 'b=2'],
    'a,': ['a', ''],
    ',': ['', ''],
    '"a,b",c': ['a,b', 'c'],
    '"x""y"': ['x"y'],
    '""': [''],
    '\n\na,b\nc': ['a', 'b'],
    '"a\nb",c': ['a\nb', 'c'],
  };
  for (const [line, fields] of Object.entries(cases)) assert.deepEqual(parseGoCsv(line), fields, line);
});

test('parseGoCsv() refuses in the words of Go', () => {
  const cases: Readonly<Record<string, string>> = {
    '': 'EOF',
    '\n': 'EOF',
    'a"b': 'parse error on line 1, column 2: bare " in non-quoted-field',
    'ä,x"': 'parse error on line 1, column 5: bare " in non-quoted-field',
    '"a"b': 'parse error on line 1, column 3: extraneous or missing " in quoted-field',
    '"a': 'parse error on line 1, column 3: extraneous or missing " in quoted-field',
    '"a\nb': 'record on line 1; parse error on line 2, column 2: extraneous or missing " in quoted-field',
  };
  for (const [line, message] of Object.entries(cases)) assert.throws(() => parseGoCsv(line), { message }, line);
});

test('parseGoCsv() reads back what formatCsv() writes', () => {
  const field = fc.string().map((text) => text.replaceAll('\r', ''));
  fc.assert(
    fc.property(fc.array(field, { minLength: 2 }), (fields) => {
      assert.deepEqual(parseGoCsv(formatCsv(fields)), fields);
    }),
  );
});
