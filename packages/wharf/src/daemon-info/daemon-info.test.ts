import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansiDate } from './ansi-date.ts';
import { eventLine } from './event-line.ts';
import { infoLines } from './info-text.ts';

test("ansiDate() is Go's time.ANSIC in the time's own zone", () => {
  assert.equal(ansiDate('2025-05-30T12:07:14.000000000+02:00'), 'Fri May 30 12:07:14 2025');
  assert.equal(ansiDate('2026-01-02T03:04:05Z'), 'Fri Jan  2 03:04:05 2026');
  assert.equal(ansiDate('yesterday'), 'yesterday');
});

test('eventLine() keeps all nine digits of the time, and sorts what is known', () => {
  const Actor = { ID: 'c1', Attributes: { name: 'web', image: 'x' } };
  const line = eventLine({ Type: 'container', Action: 'start', Actor, timeNano: 1_795_259_505_840_000_007n });
  assert.match(
    line,
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.840000007(?:Z|[+-]\d\d:\d\d) container start c1 \(image=x, name=web\)$/,
  );
  assert.equal(eventLine({ Type: 'image', Action: 'untag', Actor: { ID: 'i' } }), 'image untag i');
});

test('infoLines() leaves out what the daemon does not say', () => {
  const lines = infoLines(
    { OSType: 'linux', MemTotal: 1024 ** 3, SecurityOptions: ['name=seccomp,profile=builtin'] },
    'me',
  );
  assert.ok(lines.includes(' Total Memory: 1GiB'));
  assert.ok(lines.includes('   Profile: builtin'));
  assert.ok(lines.includes(' Username: me'));
  assert.ok(!lines.some((line) => line.startsWith(' Name:') || line.startsWith(' Insecure')));
});
