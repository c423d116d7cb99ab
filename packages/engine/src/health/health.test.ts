import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock, ContainerId } from '@wharf/kit';
import { formatRfc3339Nano, nullLogger } from '@wharf/kit';
import type { ContainerConfig, HealthConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord, HealthState } from '../containers/container.ts';
import { createHealthService } from './health.ts';
import { checkHealthcheck, healthCheckOf, mergeHealthcheck } from './health-config.ts';
import { afterProbe, STARTING, untilNextProbe } from './transition.ts';

const second = 1_000_000_000;

/** Time that stands still until a test moves it; `advance` lets everything that wakes run. */
class FakeClock implements Clock {
  #now = 1_700_000_000_000_000_000n;
  readonly sleepers = new Set<{ readonly at: bigint; readonly wake: () => void }>();

  nowNs(): bigint {
    return this.#now;
  }

  sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { at: this.#now + BigInt(Math.round(ms * 1e6)), wake: resolve };
      this.sleepers.add(sleeper);
      options.signal?.addEventListener('abort', () => {
        this.sleepers.delete(sleeper);
        reject(options.signal?.reason);
      });
    });
  }

  async advance(seconds: number): Promise<void> {
    const end = this.#now + BigInt(Math.round(seconds * 1e9));
    for (;;) {
      await settle();
      const [next] = [...this.sleepers].filter(({ at }) => at <= end).sort((a, b) => (a.at < b.at ? -1 : 1));
      if (next === undefined) break;
      this.#now = next.at;
      this.sleepers.delete(next);
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));

function setUp(health: HealthConfig, labels: Record<string, string> = {}) {
  const clock = new FakeClock();
  const config: ContainerConfig = { Healthcheck: health, Labels: labels };
  const id = 'c1' as ContainerId;
  const state = { status: 'running', startedAt: formatRfc3339Nano(clock.nowNs()), pid: 1 };
  let record = { id, config, hostConfig: {}, state } as unknown as ContainerRecord;
  const actions: string[] = [];
  const unhealthy: string[] = [];
  const box = { answer: { exitCode: 0, output: 'ok', timedOut: false }, probes: 0, aborted: 0 };
  const service = createHealthService({
    clock,
    log: nullLogger,
    hooks: {
      find: () => record,
      probe: async (_record, command, { signal }) => {
        assert.deepEqual(command, ['/bin/sh', '-c', 'check']);
        box.probes += 1;
        signal.addEventListener('abort', () => {
          box.aborted += 1;
        });
        return box.answer;
      },
      save: (_id, value) => {
        record = { ...record, state: { ...record.state, health: value } };
      },
      publish: (_record, action) => actions.push(action),
      onUnhealthy: () => unhealthy.push('now'),
    },
  });
  return { clock, service, actions, unhealthy, box, id, record: () => record, health: () => record.state.health };
}

const check = (health: HealthConfig = {}) => {
  const found = healthCheckOf({ Healthcheck: { Test: ['CMD-SHELL', 'check'], ...health } });
  assert.ok(found);
  return found;
};
const entry = (exitCode: number) => ({ start: '', end: '', exitCode, output: '' });

test('healthCheckOf() fills in Docker defaults and knows what is no check', () => {
  assert.deepEqual(check(), {
    command: ['/bin/sh', '-c', 'check'],
    intervalNs: 30_000_000_000n,
    timeoutNs: 30_000_000_000n,
    startPeriodNs: 0n,
    startIntervalNs: 5_000_000_000n,
    retries: 3,
  });
  assert.deepEqual(healthCheckOf({ Healthcheck: { Test: ['CMD-SHELL', 'x'] }, Shell: ['/bin/bash', '-ec'] })?.command, [
    '/bin/bash',
    '-ec',
    'x',
  ]);
  assert.deepEqual(healthCheckOf({ Healthcheck: { Test: ['CMD', 'a', 'b'] } })?.command, ['a', 'b']);
  for (const Test of [[], ['NONE'], ['CMD'], ['ODD', 'x']])
    assert.equal(healthCheckOf({ Healthcheck: { Test } }), undefined);
  assert.equal(healthCheckOf({}), undefined);
});

test('mergeHealthcheck() takes what is unset from the image', () => {
  const image: HealthConfig = { Test: ['CMD', 'i'], Interval: 5, Retries: 7 };
  assert.deepEqual(mergeHealthcheck(undefined, image), image);
  assert.equal(mergeHealthcheck(undefined, undefined), undefined);
  const merged = mergeHealthcheck({ Test: [], Interval: 9 }, image);
  assert.deepEqual([merged?.Test, merged?.Interval, merged?.Retries], [['CMD', 'i'], 9, 7]);
  assert.deepEqual(mergeHealthcheck({ Test: ['NONE'] }, image)?.Test, ['NONE']);
});

test('checkHealthcheck() refuses in Docker words', () => {
  checkHealthcheck({ Interval: 0, Timeout: 1_000_000 });
  assert.throws(
    () => checkHealthcheck({ Interval: 10 }),
    /^WharfError: Interval in Healthcheck cannot be less than 1ms$/,
  );
  assert.throws(() => checkHealthcheck({ Retries: -1 }), /^WharfError: Retries in Healthcheck cannot be negative$/);
});

test('afterProbe() walks between the states', () => {
  const later = { entry: entry(1), sinceStartNs: 60_000_000_000n };
  const rules = check({ StartPeriod: 10 * second, Retries: 2 });
  const early = afterProbe(STARTING, { ...later, sinceStartNs: 1n }, rules);
  assert.deepEqual([early.status, early.failingStreak, early.log.length], ['starting', 0, 1]);
  const once = afterProbe(early, later, rules);
  assert.deepEqual([once.status, once.failingStreak], ['starting', 1]);
  const twice = afterProbe(once, later, rules);
  assert.deepEqual([twice.status, twice.failingStreak], ['unhealthy', 2]);
  const healed = afterProbe(twice, { ...later, entry: entry(0) }, rules);
  assert.deepEqual([healed.status, healed.failingStreak], ['healthy', 0]);
  // Once healthy, the start period protects no longer.
  assert.equal(afterProbe(healed, { entry: entry(1), sinceStartNs: 1n }, rules).failingStreak, 1);
  let state: HealthState = healed;
  for (let i = 0; i < 9; i += 1) state = afterProbe(state, { ...later, entry: entry(i) }, rules);
  assert.deepEqual(
    state.log.map(({ exitCode }) => exitCode),
    [4, 5, 6, 7, 8],
  );
});

test('untilNextProbe() uses the start interval in the start period only', () => {
  const rules = check({ StartPeriod: 10 * second, StartInterval: second });
  assert.equal(untilNextProbe(STARTING, 1n, rules), 1_000_000_000n);
  assert.equal(untilNextProbe(STARTING, 11_000_000_000n, rules), 30_000_000_000n);
  assert.equal(untilNextProbe({ ...STARTING, status: 'healthy' }, 1n, rules), 30_000_000_000n);
});

test('start() probes at its interval and publishes changes only', async () => {
  const { clock, service, actions, box, health, record } = setUp({
    Test: ['CMD-SHELL', 'check'],
    Interval: 2 * second,
    Retries: 2,
  });
  service.start(record());
  assert.equal(health()?.status, 'starting');
  await clock.advance(1.9);
  assert.equal(box.probes, 0);
  await clock.advance(4.2);
  assert.equal(box.probes, 3);
  assert.deepEqual(actions, ['health_status: healthy']);
  box.answer = { exitCode: 1, output: 'x'.repeat(5000), timedOut: false };
  await clock.advance(4);
  assert.deepEqual(actions, ['health_status: healthy', 'health_status: unhealthy']);
  const last = health()?.log.at(-1);
  assert.equal(last?.output, `${'x'.repeat(4096)}...`);
  service.stop(record().id);
  await clock.advance(100);
  assert.equal(box.probes, 5);
  assert.equal(clock.sleepers.size, 0);
});

test('a probe that takes too long is a failure that says so', async () => {
  const { clock, service, box, health, record } = setUp({
    Test: ['CMD-SHELL', 'check'],
    Interval: second,
    Timeout: 1.5 * second,
  });
  box.answer = { exitCode: 137, output: 'half', timedOut: true };
  service.start(record());
  await clock.advance(1);
  assert.equal(health()?.log[0]?.exitCode, -1);
  assert.equal(health()?.log[0]?.output, 'Health check exceeded timeout (1.5s): half');
  service.close();
});

test('an unhealthy container that asks for it is handed over for restart, once', async () => {
  const { clock, service, box, unhealthy, record } = setUp(
    { Test: ['CMD-SHELL', 'check'], Interval: second, Retries: 1 },
    { 'io.wharf.restart-on-unhealthy': 'true' },
  );
  box.answer = { exitCode: 1, output: '', timedOut: false };
  service.start(record());
  await clock.advance(5);
  assert.deepEqual(unhealthy, ['now']);
  service.close();
});

test('resume() goes on with the state there is', async () => {
  const { clock, service, box, health, actions, record, id } = setUp({
    Test: ['CMD-SHELL', 'check'],
    Interval: second,
  });
  service.start(record());
  await clock.advance(1);
  service.stop(id);
  service.resume(record());
  service.resume(record());
  assert.equal(health()?.status, 'healthy');
  await clock.advance(1);
  assert.equal(box.probes, 2);
  assert.deepEqual(actions, ['health_status: healthy']);
  service.close();
});

test('no more probes run at a time than there are places', async () => {
  const clock = new FakeClock();
  let running = 0;
  let most = 0;
  const release: (() => void)[] = [];
  const make = (id: string) =>
    ({
      id,
      config: { Healthcheck: { Test: ['CMD', 'x'], Interval: second } },
      hostConfig: {},
      state: { startedAt: '' },
    }) as unknown as ContainerRecord;
  const service = createHealthService({
    clock,
    log: nullLogger,
    concurrency: 2,
    hooks: {
      find: (id) => make(id),
      probe: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => release.push(resolve));
        running -= 1;
        return { exitCode: 0, output: '' };
      },
      save: () => {},
      publish: () => {},
      onUnhealthy: () => {},
    },
  });
  for (let i = 0; i < 6; i += 1) service.start(make(`c${i}`));
  await clock.advance(1);
  for (let i = 0; i < 6; i += 1) {
    release.shift()?.();
    await settle();
  }
  assert.equal(most, 2);
  service.close();
});
