import type { List } from './common.ts';

export interface HealthcheckResult {
  readonly Start: string;
  readonly End: string;
  readonly ExitCode: number;
  readonly Output: string;
}

export interface Health {
  readonly Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  readonly Log: List<HealthcheckResult>;
}

/** `State` of `GET /containers/{id}/json`. */
export interface ContainerState {
  readonly Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  readonly Running: boolean;
  readonly Paused: boolean;
  readonly Restarting: boolean;
  readonly OOMKilled: boolean;
  readonly Dead: boolean;
  readonly Pid: number;
  readonly ExitCode: number;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
  readonly Health?: Health | undefined;
}

/** A mount in force, as `inspect`, `ps` and the store show it. */
export interface MountPoint {
  readonly Type?: 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster' | undefined;
  /** The volume's name; absent for other types. */
  readonly Name?: string | undefined;
  readonly Source: string;
  readonly Destination: string;
  readonly Driver?: string | undefined;
  readonly Mode: string;
  readonly RW: boolean;
  readonly Propagation: string;
}
