import type { VolumeRecord } from './volume.ts';

/** What a driver says of a volume. */
export interface DriverVolume {
  readonly name: string;
  /** Where its data is on the host; '' while it is nowhere. */
  readonly mountpoint: string;
  readonly createdAt?: string | undefined;
  readonly status?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Where volumes live. All verbs are idempotent towards what is there already; `remove` takes a volume out of sight at once
 * and returns the deletion of its bytes, which may take long.
 */
export interface VolumeDriver {
  readonly name: string;
  scope(): Promise<'local' | 'global'>;
  /** Throws in the driver's words. */
  create(name: string, options: Readonly<Record<string, string>> | null): Promise<void>;
  remove(name: string): Promise<() => Promise<void>>;
  /** Makes the data reachable for one user more, and returns where. */
  mount(volume: VolumeRecord, user: string): Promise<string>;
  /** One user less; `last` is true when nobody of ours is left. */
  unmount(name: string, user: string, last: boolean): Promise<void>;
  /** `undefined` when there is no such volume. */
  get(name: string): Promise<DriverVolume | undefined>;
  list(): Promise<readonly DriverVolume[]>;
}
