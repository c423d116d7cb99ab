import assert from 'node:assert/strict';
import { test } from 'node:test';
import { screenOf } from './lib/screen.ts';

test('screenOf() leaves out colours, titles and what a cursor hides and shows', () => {
  assert.equal(
    screenOf('\u001b]0;title\u0007\u001b[?25l\u001b[1;32mgreen\u001b[0m plain\u001b[?25h\r\n'),
    'green plain',
  );
});

test('screenOf() draws over lines as a terminal does', () => {
  assert.equal(screenOf('one\r\ntwo\r\n\u001b[2A\u001b[2KONE\r\n\u001b[Bthree'), 'ONE\ntwo\nthree');
  assert.equal(screenOf('12345\r\u001b[2C\u001b[K'), '12');
  assert.equal(screenOf('a\r\nb\r\nc\u001b[2A\r\u001b[Jx'), 'x');
  assert.equal(screenOf('50 %\r100 %'), '100 %');
  assert.equal(screenOf('a\tb'), 'a       b');
});
