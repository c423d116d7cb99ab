import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Wait } from '../plan/steps.ts';
import { StateWatch } from './state-watch.ts';
import { TestDaemon } from './test-daemon.ts';
import { waitFor } from './wait-step.ts';

const never = new AbortController().signal;
const health = (Status: string) => ({ Status: 'running', Health: { Status } });
const check = { Healthcheck: { Test: ['CMD', 'true'] } };

const wait = (condition: Wait['condition'], more: Partial<Wait> = {}): Wait => ({
  kind: 'wait',
  dependency: 'db',
  dependent: 'web',
  condition,
  required: true,
  containers: [{ id: 'db-1', key: 'db-1', name: 'db-1', service: 'db' }],
  ...more,
});

function contextOf(daemon: TestDaemon) {
  const events: string[] = [];
  const warnings: string[] = [];
  const watch = new StateWatch(daemon.client, 'app');
  const context = {
    watch,
    progress: ({ id, text }: { id: string; text: string }) => void events.push(`${id} ${text}`),
    warn: (message: string) => void warnings.push(message),
    created: new Map<string, string>(),
  };
  return { context, events, warnings, watch };
}

/** Waits in turns of the loop, without a clock. */
async function eventually(what: string, probe: () => boolean): Promise<void> {
  for (let turns = 0; turns < 100_000; turns++) {
    if (probe()) return;
    await turn();
  }
  assert.fail(`${what} did not come about`);
}

test('waitFor() sees a container get healthy by its event, without asking in between', async () => {
  await using daemon = await TestDaemon.start();
  const { context, events, watch } = contextOf(daemon);
  daemon.set('db-1', health('starting'), check);
  const waiting = waitFor(context, wait('healthy'), never);
  await eventually('the first look', () => daemon.looks.get('db-1') === 1);
  daemon.set('db-1', health('healthy'), check);
  daemon.tell('other', 'health_status: healthy');
  daemon.tell('db-1', 'health_status: healthy');
  await waiting;
  assert.equal(daemon.looks.get('db-1'), 2);
  assert.deepEqual(events, ['Container db-1 Waiting', 'Container db-1 Healthy']);
  watch.close();
  await eventually('the stream of events ends', () => daemon.listeners === 0);
});

test('waitFor() goes on after the stream of events broke', async () => {
  await using daemon = await TestDaemon.start();
  const { context, watch } = contextOf(daemon);
  daemon.set('db-1', health('starting'), check);
  const waiting = waitFor(context, wait('healthy'), never);
  await eventually('the first look', () => daemon.looks.get('db-1') === 1);
  daemon.set('db-1', health('healthy'), check);
  daemon.breakEvents();
  await waiting;
  watch.close();
});

test("waitFor() says in compose's words what does not come about", async () => {
  await using daemon = await TestDaemon.start();
  const { context, warnings, watch } = contextOf(daemon);
  const exited = (ExitCode: number) => ({ Status: 'exited', ExitCode });
  const table: readonly (readonly [object, object, Wait, string | undefined])[] = [
    [health('unhealthy'), check, wait('healthy'), 'dependency failed to start: container db-1 is unhealthy'],
    [exited(1), check, wait('healthy'), 'dependency failed to start: container db-1 exited (1)'],
    [
      { Status: 'running' },
      {},
      wait('healthy'),
      'dependency failed to start: container db-1 has no healthcheck configured',
    ],
    [exited(3), {}, wait('completed'), 'service "db" didn\'t complete successfully: exit 3'],
    [exited(0), {}, wait('completed'), undefined],
    [exited(0), {}, wait('running-or-healthy'), 'container db-1 exited (0)'],
    [{ Status: 'running' }, {}, wait('running-or-healthy'), undefined],
    [health('healthy'), check, wait('running-or-healthy'), undefined],
    [exited(3), {}, wait('completed', { required: false }), undefined],
    [health('unhealthy'), check, wait('healthy', { required: false }), undefined],
  ];
  for (const [state, config, step, message] of table) {
    daemon.set('db-1', state, config);
    if (message === undefined) await waitFor(context, step, never);
    else await assert.rejects(waitFor(context, step, never), { message });
  }
  assert.deepEqual(warnings, [
    'optional dependency "db" didn\'t complete successfully: exit 3',
    'optional dependency "db" failed to start: container db-1 is unhealthy',
  ]);
  watch.close();
});

test('waitFor() ends with its signal, and when the container is gone', async () => {
  await using daemon = await TestDaemon.start();
  const { context, watch } = contextOf(daemon);
  daemon.set('db-1', health('starting'), check);
  const controller = new AbortController();
  const waiting = waitFor(context, wait('healthy'), controller.signal);
  await eventually('the first look', () => daemon.looks.get('db-1') === 1);
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, { message: 'enough' });
  const gone = wait('healthy', { containers: [{ id: 'x', key: 'x', name: 'x', service: 'db' }] });
  await assert.rejects(waitFor(context, gone, never), /No such container/);
  watch.close();
});
