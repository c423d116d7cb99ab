import { messageOf, WharfError } from '@wharf/kit';
import { PluginClient } from '@wharf/wire/plugins/client';
import type { PluginDirectory } from '@wharf/wire/plugins/directory';
import type { DriverVolume, VolumeDriver } from './driver.ts';
import type { LocalDriver } from './local-driver.ts';
import { PluginDriver } from './plugin-driver.ts';
import { LOCAL_DRIVER } from './volume.ts';

/** A volume that a plugin has and we may not know of. */
export interface FoundVolume extends DriverVolume {
  readonly driver: string;
  readonly scope: 'local' | 'global';
}

/** The local driver, and plugins as they come up: each is asked what it is when its name is first used. */
export class Drivers {
  readonly local: LocalDriver;
  readonly #directory: PluginDirectory | undefined;
  /** By name, with the address they were found at: a plugin may come back elsewhere. */
  readonly #plugins = new Map<string, { readonly address: string; readonly driver: Promise<PluginDriver> }>();

  constructor(local: LocalDriver, directory: PluginDirectory | undefined) {
    this.local = local;
    this.#directory = directory;
  }

  /** Throws `not-found` (`error looking up volume plugin x: plugin "x" not found`), `unavailable` when it does not answer. */
  async get(name: string): Promise<VolumeDriver> {
    if (name === LOCAL_DRIVER || name === '') return this.local;
    try {
      return await this.#plugin(name);
    } catch (error) {
      const kind = error instanceof WharfError ? error.kind : 'internal';
      throw new WharfError(kind, `error looking up volume plugin ${name}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** The drivers that have been used since the start, local first. */
  names(): readonly string[] {
    return [LOCAL_DRIVER, ...[...this.#plugins.keys()].sort()];
  }

  /** All volumes that plugins have; what a plugin fails to say becomes a warning. */
  async listPlugins(): Promise<{ readonly volumes: readonly FoundVolume[]; readonly warnings: readonly string[] }> {
    const warnings: string[] = [];
    const lists = await Promise.all(
      (this.#directory?.names() ?? []).map(async (name) => {
        try {
          const driver = await this.#plugin(name);
          const scope = await driver.scope();
          return (await driver.list()).map((volume) => ({ ...volume, driver: name, scope }));
        } catch (error) {
          if (error instanceof NotForVolumes) return [];
          warnings.push(`error while listing volumes of driver ${name}: ${messageOf(error)}`);
          return [];
        }
      }),
    );
    return { volumes: lists.flat(), warnings };
  }

  /** Looks for a volume among those of plugins; a plugin that fails has none. */
  async findInPlugins(name: string): Promise<FoundVolume | undefined> {
    for (const plugin of this.#directory?.names() ?? []) {
      try {
        const driver = await this.#plugin(plugin);
        const found = await driver.get(name);
        if (found !== undefined) return { ...found, driver: plugin, scope: await driver.scope() };
      } catch {
        // Errors are how plugins say that they do not have it.
      }
    }
    return undefined;
  }

  async #plugin(name: string): Promise<PluginDriver> {
    const found = this.#directory?.find(name);
    if (found === undefined) throw new WharfError('not-found', `plugin ${JSON.stringify(name)} not found`);
    const known = this.#plugins.get(name);
    if (known?.address === found.address) return known.driver;
    const driver = activate(new PluginClient(found));
    this.#plugins.set(name, { address: found.address, driver });
    driver.catch(() => this.#plugins.delete(name));
    return driver;
  }
}

class NotForVolumes extends WharfError {}

async function activate(client: PluginClient): Promise<PluginDriver> {
  const answer = (await client.call('Plugin.Activate', {})) as { readonly Implements?: unknown } | null;
  const kinds = Array.isArray(answer?.Implements) ? answer.Implements : [];
  if (kinds.includes('VolumeDriver')) return new PluginDriver(client);
  throw new NotForVolumes('not-found', `plugin ${JSON.stringify(client.name)} does not implement VolumeDriver`);
}
