import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findJsonFault } from './json-fault.ts';

describe('findJsonFault()', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{invalid json', "invalid character 'i' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a": 1 "b"}', `invalid character '"' after object key:value pair`],
    ['{"a": 1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.e', "invalid character 'e' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['nul!', "invalid character '!' in literal null (expecting 'l')"],
    ['{"a": ', 'unexpected EOF'],
    ['[true', 'unexpected EOF'],
    ['['.repeat(200_000), 'exceeded max depth'],
  ];
  for (const [text, message] of cases) {
    it(`words ${JSON.stringify(text.slice(0, 20))} as Go does`, () => {
      assert.deepEqual(findJsonFault(text), { kind: 'syntax', message });
    });
  }

  it('finds where the first document ends', () => {
    assert.deepEqual(findJsonFault('{"a":[1,null]} trailing'), { kind: 'trailing', end: 14 });
  });
});
