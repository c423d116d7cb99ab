import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toTimestamp } from './timestamp.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

test("toTimestamp() reads what docker's client reads", () => {
  const cases: Readonly<Record<string, string>> = {
    '0': '0',
    '12': '12',
    '12.5': '12.5',
    '1h30m': String(NOW / 1000 - 5400),
    '-5s': String(NOW / 1000 + 5),
    '2013-01-02T03:04:05Z': '1357095845.000000000',
    '2013-01-02T03:04:05.5Z': '1357095845.500000000',
    '2013-01-02T03:04:05,5Z': '1357095845.500000000',
    '2013-01-02T03:04:05+02:00': '1357088645.000000000',
    '2013-01-02T03:04-02:00': '1357103040.000000000',
    '2013-01-02T1:02:03Z': '1357088523.000000000',
    '2013-01-02T03Z': '1357095600.000000000',
    '2013-01-02Z': '1357084800.000000000',
    '2013-01-02+01:00': '1357081200.000000000',
    '1969-12-31T23:59:59.5Z': '-1.500000000',
    '20130102': '20130102',
  };
  for (const [text, timestamp] of Object.entries(cases)) assert.equal(toTimestamp(text, NOW), timestamp, text);
});

test('toTimestamp() takes a time without a zone for a local one', () => {
  const offset = new Date(NOW).getTimezoneOffset() * 60;
  const cases: Readonly<Record<string, number>> = {
    '2013-01-02': 1_357_084_800,
    '2013-01-02T03': 1_357_095_600,
    '2013-01-02T03:04': 1_357_095_840,
    '2013-01-02T03:04:05': 1_357_095_845,
  };
  for (const [text, seconds] of Object.entries(cases)) {
    assert.equal(toTimestamp(text, NOW), `${seconds + offset}.000000000`, text);
  }
  assert.equal(toTimestamp('2013-01-02T03:04:05.123456789', NOW), `${1_357_095_845 + offset}.123456789`);
});

test('toTimestamp() complains as Go does', () => {
  const cases: Readonly<Record<string, string>> = {
    x: 'failed to parse value as time or duration: "x"',
    '1.2.3': 'failed to parse value as time or duration: "1.2.3"',
    '2013-13-02': 'parsing time "2013-13-02": month out of range',
    '2013-02-30': 'parsing time "2013-02-30": day out of range',
    '2013-01-02T25:00': 'parsing time "2013-01-02T25:00": hour out of range',
    '2013-1-2': 'parsing time "2013-1-2" as "2006-01-02": cannot parse "1-2" as "01"',
    '2013-01-02x': 'parsing time "2013-01-02x": extra text: "x"',
    '2013-01-02t03:04:05': 'parsing time "2013-01-02t03:04:05": extra text: "t03:04:05"',
    '2013-01-02T03:04:05-0200':
      'parsing time "2013-01-02T03:04:05-0200" as "2006-01-02T15:04Z07:00": cannot parse ":05-0200" as "Z07:00"',
    '-12': 'parsing time "-12" as "2006-01-02": cannot parse "-12" as "2006"',
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(() => toTimestamp(text, NOW), { message }, text);
  }
});
