import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidTemplate, MissingVariable, substitute } from './template.ts';

const VALUES: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '', DOLLAR: 'a$b', OTHER: 'other' };
const lookup = (name: string): string | undefined => VALUES[name];

/** What a text becomes, and which variables it found unset. */
function replaced(text: string): string {
  const unset: string[] = [];
  const result = substitute(text, { lookup, unset: (name) => unset.push(name) });
  return unset.length === 0 ? result : `${result} [${unset.join(',')}]`;
}

const CASES: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['$SET', 'value'],
  ['${SET}', 'value'],
  ['a${SET}b$SET', 'avaluebvalue'],
  ['$$SET', '$SET'],
  ['$$$SET', '$value'],
  ['$1 $ $/ 5$', '$1 $ $/ 5$'],
  ['$UNSET', ' [UNSET]'],
  ['${UNSET}', ' [UNSET]'],
  ['${UNSET:-default}', 'default'],
  ['${UNSET-default}', 'default'],
  ['${EMPTY:-default}', 'default'],
  ['${EMPTY-default}', ''],
  ['${SET:-default}', 'value'],
  ['${UNSET:-}', ''],
  ['${UNSET:-a:b?c+d-e}', 'a:b?c+d-e'],
  ['${UNSET:-${SET}}', 'value'],
  ['${UNSET:-${EMPTY:-${OTHER}}}-end', 'other-end'],
  ['${UNSET:-$SET and ${OTHER}} ${SET}', 'value and other value'],
  ['${UNSET-a} ${UNSET:-b}', 'a b'],
  ['${SET:+there}', 'there'],
  ['${EMPTY:+there}', ''],
  ['${EMPTY+there}', 'there'],
  ['${UNSET+there}', ''],
  ['${SET:+${OTHER}}', 'other'],
  ['${SET:?needed}', 'value'],
  ['${EMPTY?needed}', ''],
  ['${DOLLAR}', 'a$b'],
  ['${UNSET:-x$$y}', 'x$y'],
];

for (const [text, expected] of CASES)
  test(`substitute() turns ${text} into ${expected}`, () => assert.equal(replaced(text), expected));

const MISSING: readonly (readonly [string, string])[] = [
  ['${UNSET:?is needed}', 'required variable UNSET is missing a value: is needed'],
  ['${EMPTY:?}', 'required variable EMPTY is missing a value'],
  ['${UNSET?set $SET}', 'required variable UNSET is missing a value: set value'],
  ['${EMPTY:-${UNSET:?inner}}', 'required variable UNSET is missing a value: inner'],
];

for (const [text, message] of MISSING)
  test(`substitute() refuses ${text}`, () =>
    assert.throws(
      () => replaced(text),
      (error) => error instanceof MissingVariable && error.message === message,
    ));

for (const text of ['${', '${}', '${1}', 'a ${SET', '${ SET}', '${SET!}', '${SET:-a\nb}'])
  test(`substitute() refuses ${JSON.stringify(text)}`, () =>
    assert.throws(
      () => replaced(text),
      (error) => error instanceof InvalidTemplate && error.template === text,
    ));

test('substitute() answers a text or refuses, whatever it is given', () => {
  const word = fc.constantFrom(
    '$',
    '${',
    '}',
    '{',
    'A',
    ':-',
    '-',
    ':?',
    '?',
    ':+',
    '+',
    ' ',
    '\n',
    '$$',
    '_',
    '1',
    'é',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      try {
        assert.equal(typeof replaced(words.join('')), 'string');
      } catch (error) {
        assert.ok(error instanceof InvalidTemplate || error instanceof MissingVariable, String(error));
      }
    }),
  );
});

test('substitute() leaves a text whose dollar signs are doubled as it was', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(replaced(text.replaceAll('$', '$$$$')), text)));
});
