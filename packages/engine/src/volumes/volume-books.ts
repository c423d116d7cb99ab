import { type Clock, WharfError } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import { noSuchVolume } from '@wharf/wire/docker/messages';
import { PLAN_LIFETIME_MS } from './limits.ts';
import type { PlannedMount } from './planned-mount.ts';
import type { VolumeRecord } from './volume.ts';

interface Plan {
  readonly mounts: readonly PlannedMount[];
  readonly expiresAtNs: bigint;
}

/**
 * Which volumes there are, which container has which mounts, and so who holds a volume.
 *
 * Invariants:
 * - a container holds its volumes from its plan on; a plan that is not acquired in time holds nothing any more;
 * - `#holders` is what the plans and the stored uses say, turned round.
 */
export class VolumeBooks {
  readonly volumes: Table<VolumeRecord>;
  readonly #uses: Table<readonly PlannedMount[]>;
  readonly #plans = new Map<string, Plan>();
  readonly #holders = new Map<string, Set<string>>();
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#clock = clock;
    this.volumes = store.table('volumes');
    this.#uses = store.table('volume-uses');
    for (const { key, value } of this.#uses.list()) this.#index(key, value);
  }

  /** Throws `not-found` (`get x: no such volume`). */
  record(name: string): VolumeRecord {
    const record = this.volumes.get(name);
    if (record === undefined) throw new WharfError('not-found', noSuchVolume(name));
    return record;
  }

  /** The containers that hold a volume. */
  holders(volume: string): readonly string[] {
    const ids = [...(this.#holders.get(volume) ?? [])];
    const now = this.#clock.nowNs();
    return ids.filter((id) => {
      const plan = this.#plans.get(id);
      if (plan === undefined || plan.expiresAtNs > now) return true;
      this.forget(id);
      return false;
    });
  }

  /** Keeps a volume from being removed for as long as the result lives. */
  hold(volume: string, holder: string): Disposable {
    const add = this.#holders.get(volume) ?? new Set();
    this.#holders.set(volume, add.add(holder));
    return {
      [Symbol.dispose]: () => {
        const holders = this.#holders.get(volume);
        holders?.delete(holder);
        if (holders?.size === 0) this.#holders.delete(volume);
      },
    };
  }

  mountsOf(containerId: string): readonly PlannedMount[] | undefined {
    return this.#plans.get(containerId)?.mounts ?? this.#uses.get(containerId);
  }

  /** Notes what a container is going to have. Called again with more while the plan grows. */
  plan(containerId: string, mounts: readonly PlannedMount[]): void {
    const expiresAtNs = this.#clock.nowNs() + BigInt(PLAN_LIFETIME_MS) * 1_000_000n;
    this.#plans.set(containerId, { mounts, expiresAtNs });
    this.#index(containerId, mounts);
  }

  /** Makes a container's mounts durable: its plan, or `fallback` when there is none (any more). */
  acquire(containerId: string, fallback: readonly PlannedMount[]): void {
    const plan = this.#plans.get(containerId);
    if (plan === undefined && this.#uses.get(containerId) !== undefined) return;
    const mounts = plan?.mounts ?? fallback;
    this.#plans.delete(containerId);
    if (mounts.length === 0) return;
    this.#uses.put(containerId, mounts);
    this.#index(containerId, mounts);
  }

  /** The container is gone; returns the mounts it had. */
  forget(containerId: string): readonly PlannedMount[] {
    const mounts = this.mountsOf(containerId) ?? [];
    this.#plans.delete(containerId);
    this.#uses.delete(containerId);
    for (const { point } of mounts) {
      const holders = point.Name === undefined ? undefined : this.#holders.get(point.Name);
      holders?.delete(containerId);
      if (holders?.size === 0 && point.Name !== undefined) this.#holders.delete(point.Name);
    }
    return mounts;
  }

  /** Containers with stored mounts. */
  users(): readonly string[] {
    return this.#uses.list().map(({ key }) => key);
  }

  #index(containerId: string, mounts: readonly PlannedMount[]): void {
    for (const { point } of mounts) {
      if (point.Type !== 'volume' || point.Name === undefined) continue;
      const holders = this.#holders.get(point.Name) ?? new Set();
      holders.add(containerId);
      this.#holders.set(point.Name, holders);
    }
  }
}
