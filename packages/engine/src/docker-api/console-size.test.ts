import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SearchQuery } from '@wharf/wire/http/query';
import { readConsoleSize } from './console-size.ts';

describe('readConsoleSize()', () => {
  it('reads height and width', () => {
    assert.deepEqual(readConsoleSize(new SearchQuery('h=24&w=80')), { height: 24, width: 80 });
  });

  const refusals: readonly (readonly [string, RegExp])[] = [
    ['w=80', /^invalid resize height "": invalid syntax$/],
    ['h=24&w=', /^invalid resize width "": invalid syntax$/],
    ['h=a&w=80', /^invalid resize height "a": invalid syntax$/],
    ['h=24&w=-1', /^invalid resize width "-1": value out of range$/],
    ['h=4294967296&w=80', /^invalid resize height "4294967296": value out of range$/],
  ];
  for (const [text, message] of refusals) {
    it(`refuses ${text}`, () => {
      assert.throws(() => readConsoleSize(new SearchQuery(text)), { kind: 'invalid-argument', message });
    });
  }
});
