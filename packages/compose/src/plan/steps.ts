import type { Network, Volume } from '../model/resources.ts';
import type { Service } from '../model/service.ts';

/**
 * What is to be done, as a graph: a step begins when all it needs are over. Plain data: printing it, comparing it in a test
 * and executing it are separate matters.
 *
 * - Steps are in an order in which they could be done one after the other.
 * - Each leaves a state that the next plan completes, whatever comes in between.
 */
export interface Plan {
  /** What is fetched and built before the steps. */
  readonly images: ImagePlan;
  readonly steps: readonly Step[];
  /** Containers that run and stay as they are. */
  readonly unchanged: readonly ContainerRef[];
  /** In compose's words, for the log. */
  readonly warnings: readonly string[];
}

export interface ImagePlan {
  readonly pull: readonly PlannedImage[];
  readonly build: readonly PlannedImage[];
}

export interface PlannedImage {
  readonly service: string;
  readonly image: string;
  readonly platform?: string | undefined;
  readonly reason: string;
}

export type Step = StepBase & StepBody;

export interface StepBase {
  /** Unique in the plan, readable: `create container app-web-1`. */
  readonly id: string;
  /** Why, in one clause: `its configuration changed`. */
  readonly reason: string;
  /** Ids of the steps that must be over. */
  readonly needs: readonly string[];
}

export type StepKind = StepBody['kind'];

/** A container that is there, or one that an earlier step of the plan creates. */
export interface ContainerRef {
  /** Absent: the plan creates it; `key` says which. */
  readonly id?: string;
  /** The same for all steps about one container. */
  readonly key: string;
  /** The name people know it by: the final one, while it has another for a time. */
  readonly name: string;
  readonly service: string;
}

export type StepBody =
  | { readonly kind: 'create-network'; readonly key: string; readonly network: Network }
  | { readonly kind: 'remove-network'; readonly network: string; readonly name: string; readonly inUseIsFine: boolean }
  | { readonly kind: 'disconnect'; readonly network: string; readonly container: ContainerRef }
  /** Gives a container that is not recreated its place in a network that is. */
  | {
      readonly kind: 'connect';
      readonly network: string;
      readonly container: ContainerRef;
      readonly service: Service;
      readonly number: number;
    }
  | { readonly kind: 'create-volume'; readonly key: string; readonly volume: Volume }
  | { readonly kind: 'remove-volume'; readonly name: string }
  | { readonly kind: 'remove-image'; readonly image: string }
  | CreateContainer
  | StartContainer
  | StopContainer
  | {
      readonly kind: 'remove-container';
      readonly container: ContainerRef;
      readonly volumes: boolean;
      readonly force: boolean;
      /** It makes room for this one, whose event it is then. */
      readonly replaced?: ContainerRef;
    }
  | {
      readonly kind: 'rename-container';
      readonly container: ContainerRef;
      readonly to: string;
      readonly replaces: boolean;
    }
  | Wait
  | Gate
  | { readonly kind: 'move-ports'; readonly from: ContainerRef; readonly to: ContainerRef; readonly service: Service }
  | { readonly kind: 'delay'; readonly service: string; readonly ms: number }
  /** A container of its own that runs to its end before the service's first start. */
  | { readonly kind: 'init'; readonly container: ContainerRef; readonly service: Service; readonly index: number };

export interface CreateContainer {
  readonly kind: 'create-container';
  readonly container: ContainerRef;
  /** References to other services (`network_mode: service:…`) are as written: `references` resolves them. */
  readonly service: Service;
  readonly number: number;
  /** Its name for now. */
  readonly as: string;
  /** The container it takes the place of. */
  readonly replaces?: ContainerRef;
  /** Anonymous volumes of the replaced one are mounted again. */
  readonly inheritVolumes: boolean;
  /** `false`: its ports come by `move-ports`. */
  readonly publish: boolean;
  /** Containers whose namespaces or volumes it shares, by the service's name. */
  readonly references: Readonly<Record<string, ContainerRef>>;
  /** Names of the containers of services it is linked to. */
  readonly linked: Readonly<Record<string, readonly string[]>>;
}

export interface StartContainer {
  readonly kind: 'start-container';
  readonly container: ContainerRef;
  readonly service: Service | undefined;
}

export interface StopContainer {
  readonly kind: 'stop-container';
  readonly container: ContainerRef;
  /** Its hooks run before; absent for orphans. */
  readonly service: Service | undefined;
  /** Seconds; absent: the container's own. */
  readonly timeout?: number | undefined;
  /** Part of a recreation, which has its own words. */
  readonly quiet: boolean;
}

export type WaitCondition = 'healthy' | 'completed' | 'running-or-healthy';

export interface Wait {
  readonly kind: 'wait';
  readonly dependency: string;
  /** Whose start waits, for the message; empty for `--wait`. */
  readonly dependent: string;
  readonly condition: WaitCondition;
  /** False: what does not come about is a warning. */
  readonly required: boolean;
  readonly containers: readonly ContainerRef[];
  /** It was so a moment ago, of containers that are left alone: there is nothing to ask. */
  readonly met?: boolean;
}

/** A new container is to prove itself before the old one goes. */
export interface Gate {
  readonly kind: 'gate';
  readonly container: ContainerRef;
  readonly replaces: ContainerRef;
  /** It is watched that long after it is healthy, or runs. */
  readonly monitorMs: number;
  /** `rollback`: containers of the service that were replaced before come back. */
  readonly onFailure: 'pause' | 'continue' | 'rollback';
  /** The old one still runs: it is enough to take the new one away. */
  readonly overlaps: boolean;
}

/** True for steps that change something; the others wait. */
export function isChange(step: StepBody): boolean {
  return step.kind !== 'wait' && step.kind !== 'gate' && step.kind !== 'delay';
}
