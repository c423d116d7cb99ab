import type { Extended, StringMap } from './service.ts';

/** How many containers a service has, and how they are placed, limited, restarted and replaced. */
export interface Deploy extends Extended {
  readonly mode?: string;
  readonly replicas?: number;
  readonly labels?: StringMap;
  readonly update_config?: UpdateConfig;
  readonly rollback_config?: UpdateConfig;
  readonly resources: Resources;
  readonly restart_policy?: RestartPolicy;
  readonly placement: Placement;
  readonly endpoint_mode?: string;
}

export interface UpdateConfig extends Extended {
  readonly parallelism?: number;
  readonly delay?: string;
  readonly failure_action?: string;
  readonly monitor?: string;
  readonly max_failure_ratio?: number;
  /** `start-first` or `stop-first`. */
  readonly order?: string;
}

export interface Resources extends Extended {
  readonly limits?: Resource;
  readonly reservations?: Resource;
}

export interface Resource extends Extended {
  readonly cpus?: number;
  readonly memory?: string;
  readonly pids?: number;
  readonly devices?: readonly DeviceRequest[];
  readonly generic_resources?: readonly GenericResource[];
}

export interface DeviceRequest {
  readonly capabilities?: readonly string[];
  readonly driver?: string;
  /** -1: all there are. */
  readonly count?: number;
  readonly device_ids?: readonly string[];
  readonly options?: StringMap;
}

export interface GenericResource extends Extended {
  readonly discrete_resource_spec?: { readonly kind: string; readonly value: number };
}

export interface RestartPolicy extends Extended {
  readonly condition?: string;
  readonly delay?: string;
  readonly max_attempts?: number;
  readonly window?: string;
}

export interface Placement extends Extended {
  readonly constraints?: readonly string[];
  readonly preferences?: readonly { readonly spread?: string }[];
  readonly max_replicas_per_node?: number;
}
