import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_HASH } from '../convert/labels.ts';
import type { UpdateConfig } from '../model/deploy.ts';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { CANDIDATE_PREFIX } from './rollout.ts';
import { container, expectSteps, idOf, observed, project } from './test-support.ts';
import { planUp } from './up.ts';

const changed = { labels: { [CONFIG_HASH]: 'before' } };
const wharf = { apiVersion: '1.50', movesPorts: true, restartsUnhealthy: true };

const rolling = (config: UpdateConfig, more: Service = {}) =>
  project({ web: { deploy: { resources: {}, placement: {}, update_config: config }, ...more } });

function update(app: Project, count = 1, daemon = wharf) {
  const containers = Array.from({ length: count }, (_none, index) => container(app, 'web', index + 1, changed));
  return planUp({ project: app, observed: observed(app, { containers, daemon }), scale: { web: count }, start: true });
}

test('planUp() starts the new container first and hands the ports over when it is well', () => {
  const app = rolling({ order: 'start-first' }, { ports: [{ target: 80, published: '8080', protocol: 'tcp' }] });
  const plan = update(app);
  expectSteps(plan, [
    'create 000000000000_app-web-1 (its configuration changed)',
    'start new app-web-1 (the old one runs until it is well) after create 000000000000_app-web-1',
    'see that new app-web-1 is well (before anything else is replaced) after start new app-web-1',
    'hand ports of app-web-1 over (the new one is well) after see that new app-web-1 is well',
    'let requests to app-web-1 end (they came before the ports went) after hand ports of app-web-1 over',
    'stop app-web-1 (the new one is well) after let requests to app-web-1 end',
    'remove old app-web-1 (its configuration changed) after stop app-web-1',
    'rename new app-web-1 (its configuration changed) after remove old app-web-1',
  ]);
  const [create] = plan.steps;
  assert.equal(create?.kind === 'create-container' && create.publish, false);
});

test('planUp() hands nothing over where nothing is published', () => {
  const plan = update(rolling({ order: 'start-first' }));
  assert.equal(
    plan.steps.some(({ kind }) => kind === 'move-ports'),
    false,
  );
  const [create] = plan.steps;
  assert.equal(create?.kind === 'create-container' && create.publish, true);
});

test('planUp() replaces some at a time, with a pause, the next when those before are well', () => {
  const plan = update(rolling({ order: 'start-first', parallelism: 2, delay: '5s' }), 3);
  const third = plan.steps.find(({ id }) => id === 'create 000000000000_app-web-3');
  assert.deepEqual(third?.needs, ['wait before more of web']);
  const pause = plan.steps.find(({ id }) => id === 'wait before more of web');
  assert.deepEqual(pause?.needs, ['stop app-web-1', 'stop app-web-2']);
  assert.equal(pause.kind === 'delay' && pause.ms, 5000);
});

test('planUp() keeps old containers until all are replaced when a rollback may come', () => {
  const plan = update(rolling({ order: 'start-first', failure_action: 'rollback' }), 2);
  const removal = plan.steps.find(({ id }) => id === 'remove old app-web-1');
  assert.deepEqual(removal?.needs, ['stop app-web-1', 'stop app-web-2']);
});

test('planUp() stops first, and says so, where old and new cannot run side by side', () => {
  const dockerd = { ...wharf, movesPorts: false };
  const published = rolling({ order: 'start-first' }, { ports: [{ target: 80, published: '8080', protocol: 'tcp' }] });
  const plan = update(published, 1, dockerd);
  assert.deepEqual(plan.warnings, [
    'service web is stopped before its new containers start, in spite of order "start-first": this daemon cannot hand a published port from one container to another',
  ]);
  const ids = plan.steps.map(({ id }) => id);
  assert.ok(ids.indexOf('stop app-web-1') < ids.indexOf('start app-web-1'));
  const fixed = rolling({ order: 'start-first' }, { networks: { default: { ipv4_address: '10.0.0.9' } } });
  assert.match(update(fixed).warnings[0] ?? '', /its address is fixed/);
  const anyPort = rolling({ order: 'start-first' }, { ports: [{ target: 80, protocol: 'tcp' }] });
  assert.deepEqual(update(anyPort, 1, dockerd).warnings, []);
});

test('planUp() replaces several stop-first in turn where update_config is given', () => {
  const plan = update(rolling({ parallelism: 1 }), 2);
  const second = plan.steps.find(({ id }) => id === 'create id-app-web-2_app-web-2');
  assert.deepEqual(second?.needs, ['see that new app-web-1 is well']);
});

test('planUp() discards the half-made half of an update that was cut off, and begins it again', () => {
  const app = rolling({ order: 'start-first' }, { ports: [{ target: 80, published: '8080', protocol: 'tcp' }] });
  const old = container(app, 'web', 1, changed);
  const candidate = container(app, 'web', 1, {
    id: idOf('candidate'),
    name: `${old.id.slice(12, 24)}_app-web-1`,
    labels: { [CONFIG_HASH]: `${CANDIDATE_PREFIX}x` },
  });
  const state = observed(app, { containers: [old, candidate], daemon: wharf });
  const plan = planUp({ project: app, observed: state, start: true });
  assert.deepEqual(
    plan.steps.slice(0, 3).map(({ id, needs }) => `${id} after ${needs.join(', ')}`),
    [
      `stop ${candidate.name} after `,
      `remove ${candidate.name} after stop ${candidate.name}`,
      `create ${candidate.name} after remove ${candidate.name}`,
    ],
  );
});
