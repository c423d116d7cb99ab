import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goTimeFromJson } from './go-time.ts';
import { nameInRule } from './zone.ts';

test('nameInRule() finds the name of a zone at an offset', () => {
  const berlin = 'CET-1CEST,M3.5.0,M10.5.0/3';
  assert.equal(nameInRule(berlin, 60), 'CET');
  assert.equal(nameInRule(berlin, 120), 'CEST');
  assert.equal(nameInRule('EST5EDT,M3.2.0,M11.1.0', -240), 'EDT');
  assert.equal(nameInRule('IST-5:30', 330), 'IST');
  assert.equal(nameInRule('<-03>3', -180), '-03');
  assert.equal(nameInRule('UTC0', 0), 'UTC');
  assert.equal(nameInRule('nonsense!', 0), 'UTC');
});

test('goTimeFromJson() writes a time as Go prints it', () => {
  assert.equal(goTimeFromJson('2026-11-21T10:00:00.120Z'), '2026-11-21 10:00:00.12 +0000 UTC');
  assert.equal(goTimeFromJson('2026-11-21T10:00:00Z'), '2026-11-21 10:00:00 +0000 UTC');
  assert.equal(goTimeFromJson('2026-11-21T10:00:00+13:37'), '2026-11-21 10:00:00 +1337 +1337');
  assert.equal(goTimeFromJson(''), '0001-01-01 00:00:00 +0000 UTC');
});
