import type { ContainerId } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import type { HostConfig, MountPoint } from '@wharf/wire/docker/types';

/** One mount for the OCI runtime spec (config.md, "Mounts"). */
export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface VolumeService {
  /**
   * Turns Binds, Mounts, Tmpfs, VolumesFrom and the image's Volumes into mount points, making volumes that do not exist
   * yet. Throws `invalid-argument` in Docker's words (`invalid volume specification: …`, `bind source path does not exist: …`).
   */
  plan(options: {
    readonly containerId: ContainerId;
    readonly hostConfig: HostConfig;
    readonly imageVolumes: readonly string[];
    readonly lookUp: (idOrName: string) => ContainerRecord;
  }): Promise<readonly MountPoint[]>;
  /** Fills empty volumes from the image's content at their destination (copy-up), given the container's mounted root. */
  populate(record: ContainerRecord, rootfs: string): Promise<void>;
  /** The mounts for the runtime, in order; makes missing bind sources as Docker does for `-v`. */
  runtimeMounts(record: ContainerRecord): Promise<readonly RuntimeMount[]>;
  /** Books the use of the record's volumes; a volume in use is not removed. */
  acquire(record: ContainerRecord): Promise<void>;
  /** Ends the use; with `removeAnonymous` deletes the anonymous volumes nobody else uses. */
  release(record: ContainerRecord, options: { readonly removeAnonymous: boolean }): Promise<void>;
}
