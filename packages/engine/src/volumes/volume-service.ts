import type { ContainerId } from '@wharf/kit';
import type { HostConfig, MountPoint } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';

/** One mount for the OCI runtime spec (config.md, "Mounts"). */
export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** What is known of a container when its mounts are made. */
export interface MountContext {
  /** Resolves a user of the container's (`--user`) in its own files; without it only numbers are understood. */
  readonly userOf?: ((user: string) => Promise<{ readonly uid: number; readonly gid: number }>) | undefined;
}

/**
 * What containers need of volumes. Life with one container: `plan` and `acquire` at its creation, `populate` once its root
 * can be mounted, `runtimeMounts` at each start, `unmount` at each end of its process, `release` at its removal.
 */
export interface VolumeService {
  /**
   * Turns Binds, Mounts, Tmpfs, VolumesFrom and the image's Volumes into mount points, making volumes that do not exist
   * yet. Throws `invalid-argument` in Docker's words (`invalid volume specification: …`, `bind source path does not exist: …`).
   * A plan that is not acquired is given up after a while; `release` may be called for it at once.
   */
  plan(options: {
    readonly containerId: ContainerId;
    readonly hostConfig: HostConfig;
    readonly imageVolumes: readonly string[];
    readonly lookUp: (idOrName: string) => ContainerRecord;
    readonly shallowReadOnly?: boolean | undefined;
  }): Promise<readonly MountPoint[]>;
  /** Fills empty volumes from the image's content at their destination (copy-up), given the container's mounted root. */
  populate(record: ContainerRecord, rootfs: string): Promise<void>;
  /**
   * The mounts for the runtime, in order; makes missing bind sources as Docker does for `-v`, mounts what the volume's
   * driver must mount, and publishes the volumes' `mount` events.
   */
  runtimeMounts(record: ContainerRecord, context?: MountContext): Promise<readonly RuntimeMount[]>;
  /**
   * The runtime has made its own copies of the mounts: takes ours away, so that nothing of the host's is reachable below our
   * directories for longer than a start takes. Idempotent.
   */
  mountsTaken(record: Pick<ContainerRecord, 'id'>): void;
  /** The container's process has ended: publishes `unmount`, takes down mounts nobody else uses. Idempotent. */
  unmount(record: ContainerRecord): Promise<void>;
  /** Books the use of the record's volumes, from its creation on; a volume in use is not removed. Idempotent. */
  acquire(record: ContainerRecord): Promise<void>;
  /** Ends the use; with `removeAnonymous` deletes the anonymous volumes nobody else uses. */
  release(
    record: Pick<ContainerRecord, 'id' | 'mounts'>,
    options: { readonly removeAnonymous: boolean },
  ): Promise<void>;
  /** After a daemon start: takes the books over from the records there are, and forgets containers that are gone. */
  restore(records: readonly ContainerRecord[]): Promise<void>;
}
