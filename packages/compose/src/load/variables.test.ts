import assert from 'node:assert/strict';
import { test } from 'node:test';
import { variablesOf } from './variables.ts';

test('variablesOf() finds every form, and variables in defaults', () => {
  const found = variablesOf({
    a: '${XX?must} ${YY:+alt} $ZZ $$NOT',
    b: ['${IMG:-busybox}', '${A:-${B}}'],
  });
  assert.deepEqual(found, [
    { name: 'A', defaultValue: '${B}', presenceValue: '', required: false },
    { name: 'B', defaultValue: '', presenceValue: '', required: false },
    { name: 'IMG', defaultValue: 'busybox', presenceValue: '', required: false },
    { name: 'XX', defaultValue: '', presenceValue: '', required: true },
    { name: 'YY', defaultValue: '', presenceValue: 'alt', required: false },
    { name: 'ZZ', defaultValue: '', presenceValue: '', required: false },
  ]);
});
