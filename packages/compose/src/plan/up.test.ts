import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_HASH, IMAGE } from '../convert/labels.ts';
import type { Project } from '../model/project.ts';
import {
  container,
  expectSteps,
  idOf,
  needs,
  nothing,
  observed,
  observedNetwork,
  observedVolume,
  project,
} from './test-support.ts';
import { planUp } from './up.ts';
import type { UpInput } from './up-input.ts';

const up = (of: Project, state: UpInput['observed'], options: Partial<UpInput> = {}) =>
  planUp({ project: of, observed: state, start: true, ...options });

const changed = { labels: { [CONFIG_HASH]: 'before' } };

test('planUp() creates what is missing and starts it in the order of dependencies', () => {
  const app = project({
    web: { depends_on: { db: needs('service_healthy'), job: needs('service_completed_successfully') } },
    job: { depends_on: { db: needs() } },
    db: {},
  });
  expectSteps(up(app, nothing(app)), [
    'create network app_default (it is not there)',
    'create app-db-1 (it is not there) after create network app_default',
    'start app-db-1 (it is new) after create app-db-1',
    'create app-job-1 (it is not there) after create network app_default',
    'start app-job-1 (it is new) after create app-job-1, create app-db-1, start app-db-1',
    'create app-web-1 (it is not there) after create network app_default',
    'wait for db healthy (web needs it healthy) after create app-db-1, start app-db-1',
    'wait for job to have completed (web needs it to have completed) after create app-db-1, start app-db-1, create app-job-1, start app-job-1',
    'start app-web-1 (it is new) after create app-web-1, wait for db healthy, wait for job to have completed',
  ]);
});

test('planUp() has nothing to do when all is as the file says', () => {
  const app = project(
    {
      web: { scale: 2, volumes: [{ type: 'volume', source: 'data', target: '/data' }], depends_on: { db: needs() } },
      db: {},
    },
    { volumes: { data: { name: 'app_data' } } },
  );
  const plan = up(app, observed(app));
  expectSteps(plan, []);
  assert.deepEqual(
    plan.unchanged.map(({ name }) => name),
    ['app-db-1', 'app-web-1', 'app-web-2'],
  );
});

test('planUp() makes anew only what changed, under another name until the old one is gone', () => {
  const app = project({ web: {}, db: {} });
  const state = observed(app, { containers: [container(app, 'web', 1, changed), container(app, 'db')] });
  expectSteps(up(app, state), [
    `create id-app-web-1_app-web-1 (its configuration changed)`,
    'stop app-web-1 (its configuration changed) after create id-app-web-1_app-web-1',
    'remove app-web-1 (its configuration changed) after create id-app-web-1_app-web-1, stop app-web-1',
    'rename new app-web-1 (its configuration changed) after remove app-web-1',
    'start app-web-1 (it is new) after rename new app-web-1',
  ]);
});

test('planUp() says why a container is made anew', () => {
  const app = project(
    { web: { volumes: [{ type: 'volume', source: 'data', target: '/data' }] } },
    { volumes: { data: { name: 'app_data' } } },
  );
  const reason = (change: Parameters<typeof container>[3], options: Partial<UpInput> = {}) =>
    up(app, observed(app, { containers: [container(app, 'web', 1, change)] }), options).steps[0]?.reason;
  const table: readonly (readonly [object, string | undefined, Partial<UpInput>?])[] = [
    [{}, undefined],
    [changed, 'its configuration changed'],
    [{ labels: { [IMAGE]: 'sha256:old' } }, 'its image changed'],
    [{ networkIds: [] }, 'it is not in network app_default'],
    [{ networkIds: [], status: 'exited' }, 'it does not run'],
    [{ networkIds: ['net-of-before'], status: 'exited' }, 'it is not in network app_default'],
    [{ networkIds: [], networkNames: [], status: 'exited' }, 'it is not in network app_default'],
    [{ mounts: [] }, 'volume app_data is not mounted'],
    [{}, 'recreation is asked for', { recreate: 'force' }],
    [changed, undefined, { recreate: 'never' }],
    [{ labels: { [IMAGE]: 'sha256:old' } }, undefined, { pendingImages: ['img'] }],
    [changed, undefined, { services: ['other'], recreateDependencies: 'never' }],
  ];
  for (const [change, expected, options] of table)
    assert.equal(reason(change, options), expected, JSON.stringify(change));
});

test('planUp() stops those that want so before what they depend on is made anew, and starts them after', () => {
  const app = project({ web: { depends_on: { db: needs('service_started', { restart: true }) } }, db: {} });
  const state = observed(app, { containers: [container(app, 'web'), container(app, 'db', 1, changed)] });
  const steps = up(app, state).steps.map(({ id }) => id);
  assert.ok(steps.indexOf('stop app-web-1') < steps.indexOf('stop app-db-1'), steps.join('\n'));
  assert.equal(steps.at(-1), 'start app-web-1');
  const start = up(app, state).steps.find(({ id }) => id === 'start app-web-1');
  assert.ok(start?.needs.includes('start app-db-1'));
});

test('planUp() makes anew what shares a namespace with a container that is new', () => {
  const app = project({ web: {}, side: { network_mode: 'service:web', depends_on: { web: needs() } } });
  expectSteps(up(app, observed(app)), []);
  const state = observed(app, { containers: [container(app, 'web', 1, changed), container(app, 'side')] });
  const step = up(app, state).steps.find(({ id }) => id.startsWith('create id-app-side'));
  assert.equal(step?.reason, 'it shares something with web, whose container is new');
  assert.ok(step.needs.includes('rename new app-web-1'));
});

test('planUp() scales by number: surplus goes, new ones get the next numbers', () => {
  const app = project({ web: { scale: 2 } });
  const three = [1, 2, 3].map((number) => container(app, 'web', number));
  expectSteps(up(app, observed(app, { containers: three })), [
    'stop app-web-3 (the scale is 2)',
    'remove app-web-3 (the scale is 2) after stop app-web-3',
  ]);
  const [, second] = three;
  const created = up(app, observed(app, { containers: second === undefined ? [] : [second] }), { scale: { web: 3 } });
  assert.deepEqual(
    created.steps.map(({ id }) => id),
    ['create app-web-3', 'create app-web-4', 'start app-web-3', 'start app-web-4'],
  );
  const obsolete = [container(app, 'web', 1, changed), container(app, 'web', 2), container(app, 'web', 3)];
  expectSteps(up(app, observed(app, { containers: obsolete })), [
    'stop app-web-1 (the scale is 2)',
    'remove app-web-1 (the scale is 2) after stop app-web-1',
  ]);
});

test('planUp() completes a replacement that was cut off at any moment', () => {
  const app = project({ web: {} });
  const old = container(app, 'web', 1, changed);
  const made = container(app, 'web', 1, {
    id: idOf('new'),
    name: `${old.id.slice(0, 12)}_app-web-1`,
    status: 'created',
    createdAt: 2,
  });
  const ids = (containers: UpInput['observed']['containers']) =>
    up(app, observed(app, { containers })).steps.map(({ id }) => id);
  assert.deepEqual(ids([old, made]), [
    'stop app-web-1',
    'remove app-web-1',
    `rename ${made.name} to app-web-1`,
    'start app-web-1',
  ]);
  assert.deepEqual(ids([{ ...old, status: 'exited' }, made]), [
    'remove app-web-1',
    `rename ${made.name} to app-web-1`,
    'start app-web-1',
  ]);
  assert.deepEqual(ids([made]), [`rename ${made.name} to app-web-1`, 'start app-web-1']);
  assert.deepEqual(ids([{ ...made, status: 'running' }]), [`rename ${made.name} to app-web-1`]);
});

test('planUp() tells of orphans, and removes them when asked', () => {
  const app = project({ web: {} });
  const orphan = container(app, 'old', 1, { networkIds: [] });
  const job = container(app, 'web', 1, { id: idOf('run'), name: 'app-web-run-1', oneOff: true, status: 'exited' });
  const state = observed(app, { containers: [container(app, 'web'), orphan, job] });
  assert.deepEqual(up(app, state).warnings, [
    'Found orphan containers ([app-old-1 app-web-run-1]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.',
  ]);
  assert.deepEqual(up(app, state, { ignoreOrphans: true }).warnings, []);
  expectSteps(up(app, state, { removeOrphans: true }), [
    'stop app-old-1 (no service has it)',
    'remove app-old-1 (no service has it) after stop app-old-1',
    'remove app-web-run-1 (no service has it)',
  ]);
});

test('planUp() makes a network anew whose configuration changed, with all that is in it', () => {
  const app = project({ web: {} }, { networks: { default: { name: 'app_default', ipam: {}, internal: true } } });
  const before = observedNetwork('default', { name: 'app_default', ipam: {} });
  const state = observed(app, { networks: [before] });
  expectSteps(up(app, state), [
    'stop app-web-1 (network app_default is made anew)',
    'disconnect app-web-1 from app_default (network app_default is made anew) after stop app-web-1',
    'remove network app_default (its configuration changed) after disconnect app-web-1 from app_default',
    'create network app_default (its configuration changed) after remove network app_default',
    'create id-app-web-1_app-web-1 (network app_default is made anew) after create network app_default',
    'remove app-web-1 (network app_default is made anew) after create id-app-web-1_app-web-1, stop app-web-1',
    'rename new app-web-1 (network app_default is made anew) after remove app-web-1',
    'start app-web-1 (it is new) after rename new app-web-1',
  ]);
  const kept = up(app, state, { recreate: 'never' }).steps.map(({ kind }) => kind);
  assert.deepEqual(kept, [
    'stop-container',
    'disconnect',
    'remove-network',
    'create-network',
    'connect',
    'start-container',
  ]);
});

test('planUp() makes a volume anew only when somebody agreed', () => {
  const mount = { type: 'volume', source: 'data', target: '/data' };
  const app = project({ web: { volumes: [mount] } }, { volumes: { data: { name: 'app_data', labels: { new: 'x' } } } });
  const state = observed(app, { volumes: [observedVolume('data', { name: 'app_data' })] });
  expectSteps(up(app, state), []);
  expectSteps(up(app, state, { renewVolumes: ['data'] }), [
    'stop app-web-1 (volume app_data is made anew)',
    'remove app-web-1 (volume app_data is made anew) after stop app-web-1',
    'remove volume app_data (its configuration changed) after remove app-web-1',
    'create volume app_data (its configuration changed) after remove volume app_data',
    'create app-web-1 (it is not there) after create volume app_data, remove app-web-1',
    'start app-web-1 (it is new) after create app-web-1',
  ]);
});

test("planUp() refuses in compose's words what cannot be", () => {
  const table: readonly (readonly [Project, RegExp, Partial<UpInput>?])[] = [
    [project({ a: { depends_on: { b: needs() } }, b: { depends_on: { a: needs() } } }), /^cycle found: a -> b -> a$/],
    [project({ a: { depends_on: { b: needs() } } }), /^could not find b: not found$/],
    [
      project({ a: { depends_on: { b: needs() } } }, { disabledServices: { b: { profiles: ['x', 'y'] } } }),
      /^service b is required by a but is disabled. Can be enabled by profiles \[x y\]$/,
    ],
    [
      project({ a: { container_name: 'x' }, b: { container_name: 'x' } }),
      /container name "x" is already in use by service a/,
    ],
    [project({ a: { container_name: 'x', scale: 2 } }), /Docker requires each container to have a unique name/],
    [
      project({ a: {} }, { networks: { default: { name: 'out', external: true, ipam: {} } } }),
      /^network out declared as external, but could not be found$/,
    ],
    [project({ a: {} }, { volumes: { v: { name: 'out', external: true } } }), /^external volume "out" not found$/],
    [project({ a: { provider: { type: 'cloud' } } }), /providers \(here: cloud\) are not served/],
    [project({ a: { models: { m: null } } }), /models are not served/],
  ];
  for (const [app, message] of table) assert.throws(() => up(app, nothing(app)), { message });
});

test('planUp() lets an optional dependency be missing', () => {
  const app = project({ a: { depends_on: { b: needs('service_healthy', { required: false }) } } });
  assert.deepEqual(up(app, observed(app)).steps, []);
});

test('planUp() starts nothing for create', () => {
  const app = project({ web: { depends_on: { db: needs('service_healthy') } }, db: {} });
  const kinds = up(app, nothing(app), { start: false }).steps.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['create-network', 'create-container', 'create-container']);
});

test('planUp() waits at the end for all, and for jobs until they completed', () => {
  const app = project({ web: { depends_on: { job: needs('service_completed_successfully') } }, job: {} });
  const waits = up(app, observed(app), { wait: true }).steps.map(({ id }) => id);
  assert.deepEqual(waits, ['wait for job to have completed', 'wait for web running']);
});

test('planUp() runs initial steps once before a service that never ran', () => {
  const app = project({
    web: { scale: 2, pre_start: [{ command: ['migrate'] }, { command: ['warm'], per_replica: true }] },
  });
  const ids = up(app, nothing(app)).steps.map(({ id }) => id);
  assert.deepEqual(ids.slice(3), [
    'initialize app-web-1, step 1',
    'initialize app-web-1, step 2',
    'initialize app-web-2, step 2',
    'start app-web-1',
    'start app-web-2',
  ]);
  expectSteps(up(app, observed(app)), []);
});
