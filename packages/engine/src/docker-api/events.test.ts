import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, SystemClock } from '@wharf/kit';
import { HttpClient } from '@wharf/wire/http/client';
import { startTestServer } from '@wharf/wire/http/testing';
import { createEventBus } from '../events/events.ts';
import { eventsRoutes, toEventMessage } from './events.ts';
import { parseTimestamp } from './timestamp.ts';

test('parseTimestamp() reads seconds, fractions, RFC 3339 and durations without losing a nanosecond', () => {
  const now = 1_700_000_000_123_456_789n;
  const parse = (text: string | undefined): bigint | undefined => parseTimestamp('since', text, now);
  assert.equal(parse(undefined), undefined);
  assert.equal(parse(''), undefined);
  assert.equal(parse('1700000000'), 1_700_000_000_000_000_000n);
  assert.equal(parse('1700000000.000000001'), 1_700_000_000_000_000_001n);
  assert.equal(parse('1700000000.5'), 1_700_000_000_500_000_000n);
  assert.equal(parse('1700000000.1234567899'), 1_700_000_000_123_456_789n);
  assert.equal(parse('2023-11-14T22:13:20.000000007Z'), 1_700_000_000_000_000_007n);
  assert.equal(parse('2023-11-15T00:13:20+02:00'), 1_700_000_000_000_000_000n);
  assert.equal(parse('1m30s'), now - 90_000_000_000n);
  for (const bad of ['x', '1.x', '99999999999999999999', '2023-99-99T00:00:00Z', '1e3']) {
    assert.throws(() => parse(bad), {
      kind: 'invalid-argument',
      message: /^invalid value for 'since': invalid timestamp "/,
    });
  }
});

test('toEventMessage() repeats the fields of old for containers and images only', () => {
  const event = {
    type: 'container',
    action: 'start',
    actorId: 'abc',
    attributes: { image: 'busybox', name: 'x' },
    scope: 'local',
    timeNs: 1_700_000_000_123_456_789n,
  } as const;
  const plain = toEventMessage(event, false);
  assert.deepEqual(plain, {
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'abc', Attributes: { image: 'busybox', name: 'x' } },
    scope: 'local',
    time: 1_700_000_000,
    timeNano: 1_700_000_000_123_456_789n,
  });
  assert.deepEqual(toEventMessage(event, true), { status: 'start', id: 'abc', from: 'busybox', ...plain });
  const image = toEventMessage({ ...event, type: 'image' }, true);
  assert.ok(image.id === 'abc' && !('from' in image));
  assert.ok(!('status' in toEventMessage({ ...event, type: 'network' }, true)));
});

test('GET /events replays, ends at until, refuses what is wrong, and has the shape of its version', async () => {
  const clock = new SystemClock();
  const events = createEventBus({ clock, log: nullLogger });
  await using server = await startTestServer(eventsRoutes({ events, clock }));
  const client = new HttpClient(server.host);
  const before = clock.nowNs();
  events.publish({ type: 'image', action: 'create', actorId: 'i', attributes: {} });
  events.publish({ type: 'container', action: 'create', actorId: 'c', attributes: { image: 'b' } });
  const after = clock.nowNs();
  const seconds = (ns: bigint): string => `${ns / 1_000_000_000n}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`;
  const span = `since=${seconds(before)}&until=${seconds(after)}`;
  const old = await client.request({ path: `/v1.45/events?${span}` });
  assert.equal(old.headers['content-type'], 'application/json');
  const lines = old.text.trimEnd().split('\n');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^\{"status":"create","id":"c","from":"b","Type":"container"/);
  const current = await client.request({ path: `/v1.52/events?${span}`, headers: { accept: 'application/json-seq' } });
  assert.equal(current.headers['content-type'], 'application/json-seq');
  assert.equal(current.text.split('\u001e').length, 3);
  for (const query of ['since=x', 'since=5&until=3', 'filters=%7B']) {
    assert.equal((await client.request({ path: `/events?${query}` })).status, 400, query);
  }
  // As with dockerd, a filter that is not known filters nothing.
  assert.equal(
    (await client.request({ path: `/events?${span}&filters=%7B%22nope%22%3A%5B%22a%22%5D%7D` })).status,
    200,
  );
});
