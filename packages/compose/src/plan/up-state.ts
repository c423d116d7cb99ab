import type { Service } from '../model/service.ts';
import type { PlanBuilder } from './builder.ts';
import type { DependencyGraph } from './dependencies.ts';
import type { NetworkOutcome } from './networks.ts';
import type { ObservedContainer } from './observed.ts';
import { refTo } from './refs.ts';
import type { ContainerRef } from './steps.ts';
import type { UpInput } from './up-input.ts';
import type { VolumeOutcome } from './volumes.ts';

/** One container of a service as the plan leaves it. */
export interface Replica {
  readonly ref: ContainerRef;
  readonly number: number;
  /** Steps after which it is there, under its own name. */
  readonly ready: readonly string[];
  /** It runs without a step of `start` (or a rolling update starts it). */
  readonly running: boolean;
  /** It runs, is left alone, and was well a moment ago: `checked`, its health check says so. */
  readonly well?: 'checked' | 'running' | undefined;
  /** It was never started: initial steps are due. */
  readonly fresh: boolean;
}

/** A service as the plan leaves it. */
export interface ServiceState {
  readonly replicas: readonly Replica[];
  /** Steps after which those that depend on it may start. */
  readonly settled: readonly string[];
  /** The container others refer to is new. */
  readonly renewed: boolean;
}

/** What planning an `up` knows at a moment; services are planned in the order of their dependencies. */
export interface UpState {
  readonly input: UpInput;
  readonly builder: PlanBuilder;
  readonly graph: DependencyGraph;
  readonly services: Map<string, ServiceState>;
  /** Stops that are planned, by container id. */
  readonly stopped: Map<string, string>;
  /** Waits that are planned, by what is waited for. */
  readonly waits: Map<string, string>;
  networks: NetworkOutcome;
  volumes: VolumeOutcome;
  /** Steps after which no orphan is in the way. */
  cleared: readonly string[];
}

export function containersOf(state: UpState, service: string): readonly ObservedContainer[] {
  return state.input.observed.containers.filter((one) => !one.oneOff && one.service === service);
}

/** Plans to stop a container once; `needs` count for the first call. Undefined when it does not run. */
export function planStop(
  state: UpState,
  container: ObservedContainer,
  options: { readonly reason: string; readonly needs?: readonly string[]; readonly quiet?: boolean },
): string | undefined {
  const before = state.stopped.get(container.id);
  if (before !== undefined) return before;
  if (!isUp(container)) return undefined;
  const { reason, needs = [], quiet = false } = options;
  const service = state.input.project.services[container.service];
  const step = state.builder.add(`stop ${container.name}`, reason, needs, {
    kind: 'stop-container',
    container: refTo(container),
    service,
    timeout: state.input.timeout,
    quiet,
  });
  state.stopped.set(container.id, step);
  return step;
}

export const isUp = ({ status }: ObservedContainer): boolean =>
  status === 'running' || status === 'restarting' || status === 'paused';

/** What the list says of a container that runs. */
export function wellOf({ health }: ObservedContainer): Replica['well'] {
  if (health === undefined) return 'running';
  return health === 'healthy' ? 'checked' : undefined;
}

/** How many containers a service is to have. */
export function scaleOf(input: Pick<UpInput, 'scale'>, name: string, service: Service): number {
  return input.scale?.[name] ?? service.scale ?? service.deploy?.replicas ?? 1;
}
