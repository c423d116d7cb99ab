import type { Dict, List } from './common.ts';

export interface VolumeUsageData {
  /** Bytes, -1 when not computed. */
  readonly Size: number;
  /** Containers that refer to it, -1 when not computed. */
  readonly RefCount: number;
}

export interface Volume {
  readonly CreatedAt?: string | undefined;
  readonly Driver: string;
  readonly Labels: Dict<string>;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Dict<string>;
  readonly Scope: 'local' | 'global';
  readonly Status?: Dict<unknown> | undefined;
  readonly UsageData?: VolumeUsageData | undefined;
}

export interface VolumeListResponse {
  readonly Volumes: List<Volume>;
  readonly Warnings: List<string>;
}

export interface VolumeCreateRequest {
  readonly Name?: string | undefined;
  readonly Driver?: string | undefined;
  readonly DriverOpts?: Dict<string> | undefined;
  readonly Labels?: Dict<string> | undefined;
  /** Cluster volumes; accepted and refused by the volume room. */
  readonly ClusterVolumeSpec?: unknown;
}

export interface VolumePruneResponse {
  readonly VolumesDeleted: List<string>;
  readonly SpaceReclaimed: number;
}
