import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSignal, SIGNALS, signalName } from './signals.ts';

test('parseSignal() takes names with and without SIG, in any case, and numbers', () => {
  for (const text of ['TERM', 'SIGTERM', 'sigterm', '15']) assert.equal(parseSignal(text), 15);
  assert.equal(parseSignal('RTMIN+3'), 37);
  assert.equal(parseSignal('SIGRTMAX-1'), 63);
  assert.equal(parseSignal('CLD'), 17);
});

test('parseSignal() refuses what is none', () => {
  for (const text of ['', '0', '65', 'SIG', 'RTMAX+1', 'RTMIN-1', 'toString', '-9']) {
    assert.throws(() => parseSignal(text), { kind: 'invalid-argument' }, text);
  }
});

test('signalName() gives back what parseSignal() took', () => {
  for (const [name, number] of Object.entries(SIGNALS)) assert.equal(signalName(number), name);
  assert.equal(parseSignal(signalName(40)), 40);
});
