import type { Service } from '../model/service.ts';
import type { WaitCondition } from './steps.ts';
import type { Replica, UpState } from './up-state.ts';

/**
 * Plans the starts of a service's containers that do not run, after what they depend on is as they want it. Answers the steps after which
 * those that depend on this service may start.
 */
export function planStart(
  state: UpState,
  name: string,
  service: Service,
  replicas: readonly Replica[],
): readonly string[] {
  const dependencies = startNeeds(state, name);
  const initialized = planInit(state, { name, service, replicas, dependencies });
  const inTurn = (service.ports ?? []).some(({ published = '' }) => published.includes('-'));
  const settled: string[] = [...dependencies];
  let previous: readonly string[] = [];
  for (const replica of replicas) {
    settled.push(...replica.ready);
    if (replica.running) continue;
    const needs = [...replica.ready, ...dependencies, ...initialized(replica), ...previous];
    const reason = replica.fresh ? 'it is new' : 'it does not run';
    const step = state.builder.add(`start ${replica.ref.name}`, reason, needs, {
      kind: 'start-container',
      container: replica.ref,
      service,
    });
    settled.push(step);
    // Two that choose from one range of ports at the same time would choose the same.
    if (inTurn) previous = [step];
  }
  return settled;
}

/** Steps after which everything a service depends on is as it wants it. The same for each call. */
export function startNeeds(state: UpState, name: string): readonly string[] {
  if (!state.input.start) return [];
  return Object.entries(state.graph.needs[name] ?? {}).flatMap(([dependency, { condition = '', required }]) => {
    const settled = state.services.get(dependency)?.settled ?? [];
    const waited = WAITS[condition];
    if (waited === undefined) return settled;
    const step = planWait(state, { dependency, dependent: name, condition: waited, required });
    return step === undefined ? settled : [step];
  });
}

const WAITS: Readonly<Record<string, WaitCondition>> = {
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
  running_or_healthy: 'running-or-healthy',
};

interface WantedWait {
  readonly dependency: string;
  readonly dependent: string;
  readonly condition: WaitCondition;
  readonly required: boolean;
}

function planWait(state: UpState, { dependency, dependent, condition, required }: WantedWait): string | undefined {
  const planned = `${dependency} ${condition} ${required}`;
  const before = state.waits.get(planned);
  if (before !== undefined) return before;
  const { replicas = [], settled = [] } = state.services.get(dependency) ?? {};
  // None is what the scale says: nothing to wait for.
  if (replicas.length === 0) return undefined;
  const optional = required ? '' : ', if it can';
  const words = condition === 'completed' ? 'to have completed' : condition === 'healthy' ? 'healthy' : 'running';
  const reason = dependent === '' ? 'as asked for' : `${dependent} needs it ${words}${optional}`;
  const step = state.builder.add(`wait for ${dependency} ${words}`, reason, settled, {
    kind: 'wait',
    dependency,
    dependent,
    condition,
    required,
    containers: replicas.map(({ ref }) => ref),
    met: replicas.every(({ well }) => well === 'checked' || (well === 'running' && condition === 'running-or-healthy')),
  });
  state.waits.set(planned, step);
  return step;
}

/** Waits for every service at the end (`--wait`); for those that others want completed, until they are. */
export function planWaitForAll(state: UpState): void {
  for (const dependency of state.graph.order) {
    const isJob = (state.graph.neededBy[dependency] ?? []).some(
      (other) => state.graph.needs[other]?.[dependency]?.condition === 'service_completed_successfully',
    );
    const condition = isJob ? 'completed' : 'running-or-healthy';
    planWait(state, { dependency, dependent: '', condition, required: true });
  }
}

interface InitFacts {
  readonly name: string;
  readonly service: Service;
  readonly replicas: readonly Replica[];
  readonly dependencies: readonly string[];
}

/** Plans `pre_start` steps, one after the other, for containers that never ran. Answers what a replica's start needs of them. */
function planInit(
  state: UpState,
  { name, service, replicas, dependencies }: InitFacts,
): (replica: Replica) => string[] {
  const steps = service.pre_start ?? [];
  const fresh = replicas.filter((replica) => replica.fresh && !replica.running);
  if (steps.length === 0 || fresh.length === 0 || !state.input.start) return () => [];
  const last = new Map<Replica, string>();
  const ready = fresh.flatMap((replica) => replica.ready);
  steps.forEach((step, index) => {
    const each = step.per_replica === true ? fresh : fresh.slice(0, 1);
    const ended = each.map((replica) => {
      const before = last.get(replica);
      const needs = [...ready, ...dependencies, ...(before === undefined ? [] : [before])];
      const label = `initialize ${replica.ref.name}, step ${index + 1}`;
      const body = { kind: 'init', container: replica.ref, service, index } as const;
      return { replica, step: state.builder.add(label, `${name} has not run yet`, needs, body) };
    });
    for (const replica of fresh) {
      const own = ended.find((one) => one.replica === replica) ?? ended[0];
      if (own !== undefined) last.set(replica, own.step);
    }
  });
  return (replica) => {
    const step = last.get(replica);
    return step === undefined ? [] : [step];
  };
}
