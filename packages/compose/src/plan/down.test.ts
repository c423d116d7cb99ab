import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planDown } from './down.ts';
import { projectFromLabels } from './from-labels.ts';
import { planStartOnly, planStop } from './lifecycle.ts';
import { container, expectSteps, idOf, lines, needs, observed, project } from './test-support.ts';

const app = project(
  {
    web: { depends_on: { db: needs('service_healthy') } },
    db: { volumes: [{ type: 'volume', source: 'data', target: '/d' }] },
  },
  { volumes: { data: { name: 'app_data' } } },
);

test('planDown() takes containers down against their dependencies, then networks', () => {
  expectSteps(planDown({ project: app, observed: observed(app) }), [
    'stop app-web-1 (the project is taken down)',
    'remove app-web-1 (the project is taken down) after stop app-web-1',
    'stop app-db-1 (the project is taken down) after remove app-web-1',
    'remove app-db-1 (the project is taken down) after stop app-db-1',
    'remove network app_default (the project is taken down) after remove app-web-1, remove app-db-1',
  ]);
});

test('planDown() takes volumes and images when asked, and nothing that is external', () => {
  const ids = (of: typeof app) =>
    planDown({ project: of, observed: observed(app), volumes: true, images: ['app-web:latest'] }).steps.map(
      ({ id }) => id,
    );
  assert.deepEqual(ids(app).slice(4), [
    'remove network app_default',
    'remove image app-web:latest',
    'remove volume app_data',
  ]);
  const external = {
    ...app,
    networks: { default: { name: 'app_default', external: true, ipam: {} } },
    volumes: { data: { name: 'app_data', external: true } },
  };
  assert.deepEqual(ids(external).slice(4), ['remove image app-web:latest']);
});

test('planDown() of some services takes those that depend on them, too', () => {
  const ids = (services: string[]) =>
    planDown({ project: app, observed: observed(app), services })
      .steps.map(({ id }) => id)
      .filter((id) => id.startsWith('remove app'));
  assert.deepEqual(ids(['db']), ['remove app-web-1', 'remove app-db-1']);
  assert.deepEqual(ids(['web']), ['remove app-web-1']);
});

test('planDown() leaves orphans and running one-off containers unless asked', () => {
  const job = container(app, 'web', 1, { id: idOf('run'), name: 'app-web-run-1', oneOff: true });
  const orphan = container(app, 'old', 1);
  const state = observed(app, { containers: [container(app, 'web'), job, orphan], networks: [], volumes: [] });
  const ids = (removeOrphans: boolean) =>
    planDown({ project: app, observed: state, removeOrphans }).steps.map(({ id }) => id);
  assert.deepEqual(ids(false), ['stop app-web-1', 'remove app-web-1']);
  assert.deepEqual(
    ids(true).filter((id) => id.startsWith('remove')),
    ['remove app-web-1', 'remove app-web-run-1', 'remove app-old-1'],
  );
});

test('planStop() stops against dependencies, passing by what is not asked for', () => {
  expectSteps(planStop({ project: app, observed: observed(app) }), [
    'stop app-web-1 (as asked for)',
    'stop app-db-1 (as asked for) after stop app-web-1',
  ]);
  expectSteps(planStop({ project: app, observed: observed(app), services: ['db'] }), ['stop app-db-1 (as asked for)']);
});

test('planStartOnly() starts what is down, after what it depends on', () => {
  const down = observed(app, {
    containers: [container(app, 'web', 1, { status: 'exited' }), container(app, 'db', 1, { status: 'exited' })],
  });
  assert.deepEqual(lines(planStartOnly({ project: app, observed: down })), [
    'start app-db-1 (it does not run)',
    'wait for db healthy (web needs it healthy) after start app-db-1',
    'start app-web-1 (it does not run) after wait for db healthy',
  ]);
});

test('projectFromLabels() finds services, their dependencies, networks and volumes', () => {
  const web = container(app, 'web', 1, { labels: { 'com.docker.compose.depends_on': 'db:service_healthy:true' } });
  const state = observed(app, { containers: [web, container(app, 'web', 2), container(app, 'db')] });
  const found = projectFromLabels('app', state, { mayBeEmpty: false, required: false });
  assert.deepEqual(Object.keys(found.services), ['web', 'db']);
  assert.equal(found.services['web']?.scale, 2);
  assert.deepEqual(found.networks['default']?.name, 'app_default');
  assert.deepEqual(found.volumes['data']?.name, 'app_data');
  assert.throws(() => projectFromLabels('none', { ...state, containers: [] }, { mayBeEmpty: false, required: true }), {
    message: 'no container found for project "none": not found',
  });
});

test('projectFromLabels() keeps the dependencies of each container of a service', () => {
  const web = container(app, 'web', 1, { labels: { 'com.docker.compose.depends_on': 'db:service_healthy:true' } });
  const found = projectFromLabels('app', observed(app, { containers: [web] }), { mayBeEmpty: false, required: true });
  assert.deepEqual(found.services['web']?.depends_on, {
    db: { condition: 'service_healthy', restart: true, required: true },
  });
});
