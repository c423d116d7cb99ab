import { type Logger, messageOf } from '@wharf/kit';
import type { Drivers } from './drivers.ts';
import type { VolumeRecord } from './volume.ts';

/**
 * Which containers use which volumes now: a volume's driver is told of each, and of the last one leaving.
 *
 * Invariant: a user of a volume is in `#users` from before its mount until after its unmount.
 */
export class Attachments {
  readonly #drivers: Drivers;
  readonly #log: Logger;
  readonly #users = new Map<string, { readonly driver: string; readonly ids: Set<string> }>();

  constructor(drivers: Drivers, log: Logger) {
    this.#drivers = drivers;
    this.#log = log;
  }

  isUsed(volume: string): boolean {
    return this.#users.has(volume);
  }

  /** Notes a user whose mount was made before this daemon started. */
  adopt(volume: VolumeRecord, user: string): void {
    const entry = this.#users.get(volume.name) ?? { driver: volume.driver, ids: new Set() };
    entry.ids.add(user);
    this.#users.set(volume.name, entry);
  }

  /** Makes the volume's data reachable for a user and returns where. A user may attach one volume several times. */
  async attach(volume: VolumeRecord, user: string): Promise<string> {
    const isFirst = this.#users.get(volume.name)?.ids.has(user) !== true;
    this.adopt(volume, user);
    try {
      const driver = await this.#drivers.get(volume.driver);
      return await driver.mount(volume, user);
    } catch (error) {
      if (isFirst) this.#forget(volume.name, user);
      throw error;
    }
  }

  /** Ends a user's use of a volume. Never throws: what a driver cannot undo is logged. */
  async detach(volume: string, user: string): Promise<void> {
    const entry = this.#users.get(volume);
    if (entry?.ids.has(user) !== true) return;
    const last = this.#forget(volume, user);
    try {
      await (await this.#drivers.get(entry.driver)).unmount(volume, user, last);
    } catch (error) {
      this.#log.warn({ volume, err: messageOf(error) }, 'a volume could not be unmounted');
    }
  }

  /** The volumes a user has now, with the name of their driver. */
  of(user: string): readonly { readonly name: string; readonly driver: string }[] {
    return [...this.#users].filter(([, { ids }]) => ids.has(user)).map(([name, { driver }]) => ({ name, driver }));
  }

  #forget(volume: string, user: string): boolean {
    const entry = this.#users.get(volume);
    entry?.ids.delete(user);
    if (entry !== undefined && entry.ids.size > 0) return false;
    this.#users.delete(volume);
    return true;
  }
}
