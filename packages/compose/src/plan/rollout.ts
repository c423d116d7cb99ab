import { candidateName, temporaryName } from '../convert/names.ts';
import { publishesFixedPorts } from '../convert/ports.ts';
import type { UpdateConfig } from '../model/deploy.ts';
import type { Service } from '../model/service.ts';
import { nanosecondsOf } from '../model/units.ts';
import { planCreate, stopDependents } from './create.ts';
import type { ObservedContainer } from './observed.ts';
import { newRef, refTo } from './refs.ts';
import { startNeeds } from './start.ts';
import { planStop, type Replica, type UpState } from './up-state.ts';

/**
 * Before the hash of a container that has not taken its predecessor's place yet: neither docker compose nor a later plan
 * takes it for the service's own.
 */
export const CANDIDATE_PREFIX = 'candidate:';

interface Renewal {
  readonly container: ObservedContainer;
  readonly diverged?: string;
}

interface Rollout {
  readonly name: string;
  readonly service: Service;
  readonly renewed: readonly Renewal[];
  /** Steps after which surplus containers are gone. */
  readonly gone: readonly string[];
  readonly finalName: (number: number) => string;
}

/** True when containers of the service are replaced in turn, or before the old ones stop, as `deploy.update_config` says. */
export function rollsOut(state: UpState, name: string, service: Service, renewed: readonly Renewal[]): boolean {
  const config = service.deploy?.update_config;
  if (config === undefined || renewed.length === 0) return false;
  if (!state.input.start && state.input.rollOut !== true) return false;
  if (config.order !== 'start-first') return renewed.length > 1;
  if (!renewed.some(({ container }) => container.status === 'running')) return false;
  const obstacle = overlapObstacle(state, service);
  if (obstacle === undefined) return true;
  state.builder.warn(
    `service ${name} is stopped before its new containers start, in spite of order "start-first": ${obstacle}`,
  );
  return renewed.length > 1;
}

/** What keeps an old and a new container from running side by side. */
function overlapObstacle(state: UpState, service: Service): string | undefined {
  if (publishesFixedPorts(service) && !state.input.observed.daemon.movesPorts) {
    return 'this daemon cannot hand a published port from one container to another';
  }
  const networks = Object.values(service.networks ?? {});
  if (networks.some((one) => one?.ipv4_address ?? one?.ipv6_address ?? one?.mac_address ?? service.mac_address)) {
    return 'its address is fixed, and only one container can have it';
  }
  return undefined;
}

/** Replaces containers some at a time; each proves itself before the next are touched. */
export function planRollout(state: UpState, rollout: Rollout): readonly Replica[] {
  const config = rollout.service.deploy?.update_config ?? {};
  const overlaps = config.order === 'start-first' && overlapObstacle(state, rollout.service) === undefined;
  const atOnce = config.parallelism === undefined ? 1 : config.parallelism || rollout.renewed.length;
  const delayMs = (nanosecondsOf(config.delay) ?? 0) / 1e6;
  const dependencies = startNeeds(state, rollout.name);
  const replicas: Replacement[] = [];
  let previous: readonly string[] = [];
  for (let at = 0; at < rollout.renewed.length; at += atOnce) {
    if (at > 0 && delayMs > 0) {
      const body = { kind: 'delay', service: rollout.name, ms: delayMs } as const;
      previous = [
        state.builder.add(
          `wait before more of ${rollout.name}`,
          `update_config.delay is ${config.delay}`,
          previous,
          body,
        ),
      ];
    }
    const batch = rollout.renewed.slice(at, at + atOnce).map((renewal) => {
      const part = { rollout, renewal, config, needs: [...previous, ...rollout.gone], dependencies };
      return overlaps && renewal.container.status === 'running' ? planOverlap(state, part) : planExchange(state, part);
    });
    replicas.push(...batch);
    previous = batch.flatMap(({ proven }) => proven);
  }
  const all = replicas.flatMap(({ proven }) => proven);
  return replicas.map(({ finish, replica }) => {
    const ready = finish(config.failure_action === 'rollback' ? all : []);
    return { ...replica, ready: [ready] };
  });
}

interface Replacement {
  readonly replica: Omit<Replica, 'ready'>;
  /** Steps after which the next ones may be touched. */
  readonly proven: readonly string[];
  /** Plans the rest; with a rollback in view only after all are proven. */
  readonly finish: (needs: readonly string[]) => string;
}

interface Part {
  readonly rollout: Rollout;
  readonly renewal: Renewal;
  readonly config: UpdateConfig;
  readonly needs: readonly string[];
  readonly dependencies: readonly string[];
}

/** What is under way at a server that ends at its stop signal gets this long to be answered. */
const DRAIN_MS = 1000;

/** The new container runs and is well before the old one is touched. Its ports are handed over in one step. */
function planOverlap(state: UpState, part: Part): Replacement {
  const { rollout, renewal, dependencies } = part;
  const { name, service } = rollout;
  const { builder, input } = state;
  const { old, ref, final, number, reason } = partsOf(part);
  const moves = (service.ports ?? []).length > 0 && input.observed.daemon.movesPorts;
  const create = planCreate(state, {
    name,
    service,
    ref,
    number,
    as: candidateName(renewal.container.id, final),
    reason,
    needs: part.needs,
    replaces: old,
    publish: !moves,
  });
  const start = builder.add(`start new ${final}`, 'the old one runs until it is well', [create, ...dependencies], {
    kind: 'start-container',
    container: ref,
    service,
  });
  let ready = planGate(state, part, [start]);
  if (moves) {
    const body = { kind: 'move-ports', from: old, to: ref, service } as const;
    const moved = builder.add(`hand ports of ${final} over`, 'the new one is well', [ready], body);
    const pause = { kind: 'delay', service: name, ms: DRAIN_MS } as const;
    ready = builder.add(`let requests to ${final} end`, 'they came before the ports went', [moved], pause);
  }
  const dependents = stopDependents(state, name, [ready]);
  const stop = planStop(state, renewal.container, {
    reason: 'the new one is well',
    needs: [ready, ...dependents],
    quiet: true,
  });
  const stopped = stop === undefined ? [ready] : [stop];
  return {
    replica: { ref, number, running: true, fresh: false },
    proven: stopped,
    finish: (needs) => planTakeOver(state, part, [...stopped, ...needs]),
  };
}

/** The old container stops, the new one starts; the next are touched when it is well. */
function planExchange(state: UpState, part: Part): Replacement {
  const { rollout, renewal, dependencies, needs } = part;
  const { name, service } = rollout;
  const { old, ref, final, number, reason } = partsOf(part);
  const dependents = stopDependents(state, name, []);
  const as = temporaryName(renewal.container.id, final);
  const create = planCreate(state, { name, service, ref, number, as, reason, needs, replaces: old });
  const stop = planStop(state, renewal.container, { reason, needs: [create, ...dependents], quiet: true });
  const rename = planTakeOver(state, part, [create, ...dependents, ...(stop === undefined ? [] : [stop])]);
  const start = state.builder.add(`start ${final}`, 'it is new', [rename, ...dependencies], {
    kind: 'start-container',
    container: ref,
    service,
  });
  const gate = planGate(state, part, [start]);
  return { replica: { ref, number, running: true, fresh: false }, proven: [gate], finish: () => gate };
}

function partsOf({ rollout, renewal }: Part) {
  const { container, diverged = '' } = renewal;
  const final = rollout.finalName(container.number);
  return {
    final,
    number: container.number,
    reason: diverged,
    old: refTo(container, final),
    ref: newRef(rollout.name, final),
  };
}

function planGate(state: UpState, part: Part, needs: readonly string[]): string {
  const { old, ref, final } = partsOf(part);
  const { config } = part;
  const action = config.failure_action;
  return state.builder.add(`see that new ${final} is well`, 'before anything else is replaced', needs, {
    kind: 'gate',
    container: ref,
    replaces: old,
    monitorMs: (nanosecondsOf(config.monitor) ?? 0) / 1e6,
    onFailure: action === 'continue' || action === 'rollback' ? action : 'pause',
    overlaps: config.order === 'start-first',
  });
}

/** The old container goes, the new one takes its name. */
function planTakeOver(state: UpState, part: Part, needs: readonly string[]): string {
  const { old, ref, final, reason } = partsOf(part);
  const remove = state.builder.add(`remove old ${final}`, reason, needs, {
    kind: 'remove-container',
    container: old,
    volumes: false,
    force: false,
    replaced: ref,
  });
  return state.builder.add(`rename new ${final}`, reason, [remove], {
    kind: 'rename-container',
    container: ref,
    to: final,
    replaces: true,
  });
}
