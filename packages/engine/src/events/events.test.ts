import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '@wharf/kit';
import { isKind, nullLogger, SystemClock } from '@wharf/kit';
import type { EngineEvent } from './event-bus.ts';
import { createEventBus } from './events.ts';
import { RING_SIZE, SUBSCRIBER_QUEUE } from './limits.ts';
import { matchesEvent } from './match.ts';

const event = (over: Partial<EngineEvent> = {}): EngineEvent => ({
  type: 'container',
  action: 'start',
  actorId: 'abcdef123456',
  attributes: { name: 'web', image: 'busybox:latest', tier: 'front' },
  scope: 'local',
  timeNs: 1n,
  ...over,
});
const filters = (map: Record<string, readonly string[]>) => new Map(Object.entries(map));
const bus = (clock: Clock = new SystemClock()) => createEventBus({ clock, log: nullLogger });
const publish = (on: ReturnType<typeof bus>, action: string) =>
  on.publish({ type: 'container', action, actorId: 'a', attributes: {} });

test('matchesEvent() follows Docker filter by filter', () => {
  const cases: readonly [Record<string, readonly string[]>, Partial<EngineEvent>, boolean][] = [
    [{}, {}, true],
    [{ type: ['container'] }, {}, true],
    [{ type: ['image', 'container'] }, {}, true],
    [{ type: ['image'] }, {}, false],
    [{ event: ['start', 'die'] }, {}, true],
    [{ event: ['die'] }, {}, false],
    [{ event: ['health_status'] }, { action: 'health_status: healthy' }, true],
    [{ event: ['health_status: healthy'] }, { action: 'health_status: healthy' }, true],
    [{ event: ['health_status: unhealthy'] }, { action: 'health_status: healthy' }, false],
    [{ event: ['exec_create'] }, { action: 'exec_create: sh -c true' }, true],
    [{ event: ['exec_die'] }, { action: 'exec_create: sh' }, false],
    [{ container: ['web'] }, {}, true],
    [{ container: ['we'] }, {}, true],
    [{ container: ['abcdef'] }, {}, true],
    [{ container: ['eb'] }, {}, false],
    [{ container: ['x', 'abc'] }, {}, true],
    [{ image: ['busybox'] }, {}, true],
    [{ image: ['busybox:latest'] }, {}, true],
    [{ image: ['busy'] }, {}, false],
    [{ image: ['busybox'] }, { type: 'image', actorId: 'sha256:1', attributes: { name: 'busybox:1.36' } }, true],
    [{ label: ['tier'] }, {}, true],
    [{ label: ['tier=front'] }, {}, true],
    [{ label: ['tier=back'] }, {}, false],
    [{ label: ['tier', 'absent'] }, {}, false],
    [{ scope: ['local'] }, {}, true],
    [{ scope: ['swarm'] }, {}, false],
    [{ volume: ['data'] }, { type: 'volume', actorId: 'data1', attributes: {} }, true],
    [{ network: ['net'] }, { type: 'network', actorId: '123', attributes: { name: 'net0' } }, true],
    [{ daemon: ['host'] }, { type: 'daemon', actorId: 'x', attributes: { name: 'host' } }, true],
    [{ type: ['container'], event: ['die'] }, {}, false],
  ];
  for (const [map, over, expected] of cases) {
    assert.equal(matchesEvent(event(over), filters(map)), expected, JSON.stringify([map, over]));
  }
});

test('subscribe() replays since, then follows until the signal', async () => {
  const on = bus();
  publish(on, 'one');
  publish(on, 'two');
  const controller = new AbortController();
  const seen: string[] = [];
  const events = on.subscribe({ sinceNs: 0n, filters: new Map(), signal: controller.signal });
  publish(on, 'three');
  let last = 0n;
  for await (const { action, timeNs } of events) {
    assert.ok(timeNs > last);
    last = timeNs;
    seen.push(action);
    if (action === 'three') controller.abort();
  }
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('subscribe() replays nothing without since, and ends at once for a past until', async () => {
  const on = bus();
  publish(on, 'old');
  const { signal } = new AbortController();
  const past: string[] = [];
  const until = new SystemClock().nowNs() - 1n;
  publish(on, 'new');
  for await (const item of on.subscribe({ untilNs: until, filters: new Map(), signal })) past.push(item.action);
  assert.deepEqual(past, ['old']);
  const controller = new AbortController();
  const live = on.subscribe({ filters: new Map(), signal: controller.signal });
  controller.abort();
  for await (const item of live) assert.fail(item.action);
});

test('subscribe() ends at a future until', async () => {
  const on = bus();
  const untilNs = new SystemClock().nowNs() + 20_000_000n;
  const { signal } = new AbortController();
  const hold = setTimeout(() => {}, 5_000);
  for await (const item of on.subscribe({ untilNs, filters: new Map(), signal })) assert.fail(item.action);
  clearTimeout(hold);
});

test('publish() keeps the newest of the ring, in order, on a clock that stands still', async () => {
  const on = bus({ nowNs: () => 5n, sleep: async () => {} });
  for (let i = 0; i < RING_SIZE + 10; i += 1) publish(on, `${i}`);
  const seen: string[] = [];
  for await (const item of on.subscribe({
    sinceNs: 1n,
    untilNs: 5n,
    filters: new Map(),
    signal: AbortSignal.abort(),
  })) {
    seen.push(item.action);
  }
  assert.equal(seen.length, 0);
  const controller = new AbortController();
  const events = on.subscribe({ sinceNs: 0n, filters: new Map(), signal: controller.signal });
  controller.abort();
  for await (const item of events) seen.push(item.action);
  assert.equal(seen.length, RING_SIZE);
  assert.deepEqual([seen[0], seen.at(-1)], ['10', `${RING_SIZE + 9}`]);
});

test('publish() drops a subscriber that is too far behind, and only that one', async () => {
  const on = bus();
  const { signal } = new AbortController();
  const slow = on.subscribe({ filters: new Map(), signal });
  const filtered = on.subscribe({ filters: filters({ event: ['rare'] }), signal });
  for (let i = 0; i <= SUBSCRIBER_QUEUE; i += 1) publish(on, 'noise');
  publish(on, 'rare');
  for await (const item of filtered) {
    assert.equal(item.action, 'rare');
    break;
  }
  let count = 0;
  await assert.rejects(
    async () => {
      for await (const _ of slow) count += 1;
    },
    (error) => isKind(error, 'resource-exhausted'),
  );
  assert.equal(count, SUBSCRIBER_QUEUE);
});

test('listen() hears each event at once until removed, whatever other listeners do', () => {
  const on = bus();
  const heard: string[] = [];
  on.listen(() => {
    throw new Error('bad listener');
  });
  const stop = on.listen(({ action }) => heard.push(action));
  publish(on, 'one');
  stop();
  publish(on, 'two');
  assert.deepEqual(heard, ['one']);
});
