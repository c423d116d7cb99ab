import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceHash } from '../config/hash.ts';
import { CONFIG_HASH, CONTAINER_NUMBER, IMAGE, PROJECT } from '../convert/labels.ts';
import { portBindings } from '../convert/ports.ts';
import type { Project } from '../model/project.ts';
import type { Observed, ObservedContainer } from './observed.ts';
import { resolveReferences } from './references.ts';
import { CANDIDATE_PREFIX } from './rollout.ts';
import { type ContainerRef, isChange, type Step } from './steps.ts';
import { container, idOf, lines, needs, observed, observedNetwork, observedVolume, project } from './test-support.ts';
import { planUp } from './up.ts';

/** A world in which steps come true at once: enough of a daemon to see where plans lead. */
class World {
  readonly #project: Project;
  readonly #created = new Map<string, string>();
  /** Published ports by container id, as a daemon that lets one have a port. */
  readonly ports = new Map<string, string>();
  state: Observed;
  static #serial = 0;

  constructor(of: Project, state: Observed) {
    this.#project = of;
    this.state = state;
    for (const one of state.containers) {
      const { ports = [] } = of.services[one.service] ?? {};
      if (one.status === 'running' && ports.length > 0) this.ports.set(one.id, JSON.stringify(portBindings({ ports })));
    }
  }

  #id(ref: ContainerRef): string {
    return ref.id ?? this.#created.get(ref.key) ?? assert.fail(`${ref.name} is not created yet`);
  }

  #change(ref: ContainerRef, change: Partial<ObservedContainer>): void {
    const id = this.#id(ref);
    const containers = this.state.containers.map((one) => (one.id === id ? { ...one, ...change } : one));
    this.state = { ...this.state, containers };
  }

  apply(step: Step): void {
    switch (step.kind) {
      case 'create-container':
        this.#create(step);
        return;
      case 'start-container':
        this.#publish(step.container);
        this.#change(step.container, { status: 'running' });
        return;
      case 'stop-container':
        this.ports.delete(this.#id(step.container));
        this.#change(step.container, { status: 'exited' });
        return;
      case 'remove-container': {
        const id = this.#id(step.container);
        this.ports.delete(id);
        this.state = { ...this.state, containers: this.state.containers.filter((one) => one.id !== id) };
        return;
      }
      case 'rename-container':
        this.#freeName(step.to);
        this.#change(step.container, { name: step.to });
        return;
      case 'move-ports':
        this.#movePorts(this.#id(step.from), step.to);
        return;
      case 'create-network':
        this.state = { ...this.state, networks: [...this.state.networks, observedNetwork(step.key, step.network)] };
        return;
      case 'create-volume':
        this.state = { ...this.state, volumes: [...this.state.volumes, observedVolume(step.key, step.volume)] };
        return;
      case 'remove-network':
        this.state = { ...this.state, networks: this.state.networks.filter(({ id }) => id !== step.network) };
        return;
      case 'disconnect':
        this.#change(step.container, { networkIds: [], networkNames: [] });
        return;
      default:
        assert.equal(isChange(step), false, step.kind);
    }
  }

  #freeName(name: string): void {
    assert.ok(!this.state.containers.some((one) => one.name === name), `two containers are called ${name}`);
  }

  #create(step: Extract<Step, { readonly kind: 'create-container' }>): void {
    this.#freeName(step.as);
    const service = resolveReferences(step.service, (name) => this.#id(step.references[name] as ContainerRef));
    const hash = serviceHash(service);
    const id = idOf(`made-${++World.#serial}`);
    this.#created.set(step.container.key, id);
    const made: ObservedContainer = {
      ...container(this.#project, step.container.service, step.number, { id, name: step.as, status: 'created' }),
      createdAt: 1 + World.#serial,
      labels: {
        [PROJECT]: 'app',
        [CONFIG_HASH]: step.publish ? hash : `${CANDIDATE_PREFIX}${hash}`,
        [IMAGE]: 'sha256:img',
        [CONTAINER_NUMBER]: String(step.number),
      },
    };
    this.state = { ...this.state, containers: [...this.state.containers, made] };
  }

  /** Throws when another container has the port. */
  #publish(ref: ContainerRef): void {
    const one = this.state.containers.find(({ id }) => id === this.#id(ref));
    const { ports = [] } = this.#project.services[ref.service] ?? {};
    if (ports.length === 0 || one?.labels[CONFIG_HASH]?.startsWith(CANDIDATE_PREFIX) === true) return;
    const wanted = JSON.stringify(portBindings({ ports }));
    const holders = [...this.ports].filter(([id, held]) => held === wanted && id !== one?.id);
    assert.deepEqual(holders, [], `the port of ${ref.name} is taken`);
    this.ports.set(this.#id(ref), wanted);
  }

  #movePorts(from: string, to: ContainerRef): void {
    const held = this.ports.get(from);
    assert.ok(held !== undefined, 'there are no ports to move');
    this.ports.delete(from);
    this.ports.set(this.#id(to), held);
    const labels = this.state.containers.find(({ id }) => id === this.#id(to))?.labels ?? {};
    const hash = (labels[CONFIG_HASH] ?? '').replace(CANDIDATE_PREFIX, '');
    this.#change(to, { labels: { ...labels, [CONFIG_HASH]: hash } });
  }
}

const ports = [{ target: 80, published: '8080', protocol: 'tcp' }];
const old = { labels: { [CONFIG_HASH]: 'before' } };
const startFirst = (failure_action: string) => ({
  deploy: { resources: {}, placement: {}, update_config: { order: 'start-first', failure_action } },
});
const daemon = { apiVersion: '1.50', movesPorts: true, restartsUnhealthy: true };

const application = project(
  {
    web: { ports, depends_on: { api: needs('service_healthy') } },
    api: { scale: 2, depends_on: { db: needs('service_healthy', { restart: true }) } },
    db: { volumes: [{ type: 'volume', source: 'data', target: '/data' }] },
    side: { network_mode: 'service:web', depends_on: { web: needs() } },
  },
  { volumes: { data: { name: 'app_data' } } },
);
const all = observed(application).containers;
const aged = (...services: readonly string[]) =>
  all.map((one) => (services.includes(one.service) ? { ...one, labels: { ...one.labels, ...old.labels } } : one));
const rolling = (action: string) =>
  project({ web: { ports, ...startFirst(action) }, more: { scale: 3, ...startFirst(action) } });
const agedRolling = (app: Project) =>
  observed(app).containers.map((one) => ({ ...one, labels: { ...one.labels, ...old.labels } }));
const internal = { default: { name: 'app_default', ipam: {}, internal: true } };

const scenarios: readonly (readonly [name: string, project: Project, state: Partial<Observed>])[] = [
  ['nothing is there', application, { containers: [], networks: [], volumes: [] }],
  ['the database changed', application, { containers: aged('db') }],
  ['everything changed', application, { containers: aged('db', 'api', 'web', 'side') }],
  ['the server whose network is shared changed', application, { containers: aged('web') }],
  [
    'there is too much',
    application,
    { containers: [...all, container(application, 'api', 3), container(application, 'api', 4, old)] },
  ],
  ['all is stopped', application, { containers: all.map((one) => ({ ...one, status: 'exited' })) }],
  [
    'the network changed',
    { ...application, networks: internal },
    { networks: [observedNetwork('default', { name: 'app_default', ipam: {} })] },
  ],
  ['a rolling update', rolling('pause'), { containers: agedRolling(rolling('pause')), daemon }],
  [
    'a rolling update that may be taken back',
    rolling('rollback'),
    { containers: agedRolling(rolling('rollback')), daemon },
  ],
];

function bringUp(of: Project, world: World, steps: number): number {
  const plan = planUp({ project: of, observed: world.state, start: true });
  for (const step of plan.steps.slice(0, steps)) world.apply(step);
  return plan.steps.length;
}

function expectUp(of: Project, world: World, what: string): void {
  const again = planUp({ project: of, observed: world.state, start: true });
  assert.deepEqual(lines({ ...again, steps: again.steps.filter(isChange) }), [], what);
  const names = world.state.containers.map(({ name, status }) => `${name} ${status}`).toSorted();
  const wanted = observed(of)
    .containers.map(({ name }) => `${name} running`)
    .toSorted();
  assert.deepEqual(names, wanted, what);
  const publishing = Object.entries(of.services).filter(([, service]) => service.ports !== undefined);
  assert.equal(world.ports.size, publishing.length, `${what}: ports`);
}

for (const [name, of, change] of scenarios) {
  test(`an up that is cut off after any step is completed by the next, and the one after has nothing to do: ${name}`, () => {
    const start = observed(of, change);
    const whole = new World(of, start);
    const length = bringUp(of, whole, Number.POSITIVE_INFINITY);
    expectUp(of, whole, 'uninterrupted');
    for (let first = 0; first < length; first++) {
      const world = new World(of, start);
      bringUp(of, world, first);
      const rest = bringUp(of, world, first % 3 === 0 ? 2 : Number.POSITIVE_INFINITY);
      if (rest > 2 && first % 3 === 0) bringUp(of, world, Number.POSITIVE_INFINITY);
      expectUp(of, world, `cut off after ${first} of ${length} steps`);
    }
  });
}
