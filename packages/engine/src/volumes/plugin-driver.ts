import { isKind, WharfError } from '@wharf/kit';
import type { PluginClient } from '@wharf/wire/plugins/client';
import type { DriverVolume, VolumeDriver } from './driver.ts';
import type { VolumeRecord } from './volume.ts';

/** What a plugin answers, as far as it is what it should be. */
interface Answer {
  readonly Err?: unknown;
  readonly Mountpoint?: unknown;
  readonly Volume?: unknown;
  readonly Volumes?: unknown;
  readonly Capabilities?: unknown;
}

/** Volumes of a plugin that speaks the volume protocol, version 1 (`VolumeDriver.*`). It keeps them; we keep their labels. */
export class PluginDriver implements VolumeDriver {
  readonly #client: PluginClient;
  #scope: 'local' | 'global' | undefined;

  constructor(client: PluginClient) {
    this.#client = client;
  }

  get name(): string {
    return this.#client.name;
  }

  async scope(): Promise<'local' | 'global'> {
    this.#scope ??= await this.#askScope();
    return this.#scope;
  }

  async create(name: string, options: Readonly<Record<string, string>> | null): Promise<void> {
    await this.#call('Create', { Name: name, Opts: options ?? {} });
  }

  async remove(name: string): Promise<() => Promise<void>> {
    await this.#call('Remove', { Name: name });
    return async () => {};
  }

  async mount(volume: VolumeRecord, user: string): Promise<string> {
    const { Mountpoint } = await this.#call('Mount', { Name: volume.name, ID: user });
    if (typeof Mountpoint === 'string' && Mountpoint.startsWith('/')) return Mountpoint;
    throw new WharfError('internal', `VolumeDriver.Mount: the plugin named no path for volume "${volume.name}"`);
  }

  async unmount(name: string, user: string): Promise<void> {
    await this.#call('Unmount', { Name: name, ID: user });
  }

  async get(name: string): Promise<DriverVolume | undefined> {
    const { Volume } = await this.#call('Get', { Name: name });
    const found = readVolume(Volume);
    if (found === undefined || found.mountpoint !== '') return found;
    const path = await this.#call('Path', { Name: name }).catch((): Answer => ({}));
    return typeof path.Mountpoint === 'string' ? { ...found, mountpoint: path.Mountpoint } : found;
  }

  async list(): Promise<readonly DriverVolume[]> {
    const { Volumes } = await this.#call('List', {});
    return Array.isArray(Volumes) ? Volumes.map(readVolume).filter((volume) => volume !== undefined) : [];
  }

  async #askScope(): Promise<'local' | 'global'> {
    try {
      const { Capabilities } = await this.#call('Capabilities', {});
      const scope = (Capabilities as { readonly Scope?: unknown } | null | undefined)?.Scope;
      return typeof scope === 'string' && scope.toLowerCase() === 'global' ? 'global' : 'local';
    } catch (error) {
      // Not every plugin has this call; those without are local.
      if (isKind(error, 'unavailable')) throw error;
      return 'local';
    }
  }

  async #call(method: string, body: Readonly<Record<string, unknown>>): Promise<Answer> {
    const answer = ((await this.#client.call(`VolumeDriver.${method}`, body)) ?? {}) as Answer;
    if (typeof answer.Err === 'string' && answer.Err !== '') throw new WharfError('internal', answer.Err);
    return answer;
  }
}

function readVolume(value: unknown): DriverVolume | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { Name, Mountpoint, CreatedAt, Status } = value as Record<string, unknown>;
  if (typeof Name !== 'string' || Name === '') return undefined;
  return {
    name: Name,
    mountpoint: typeof Mountpoint === 'string' ? Mountpoint : '',
    ...(typeof CreatedAt === 'string' && !CreatedAt.startsWith('0001-') ? { createdAt: CreatedAt } : {}),
    ...(typeof Status === 'object' && Status !== null ? { status: Status as Readonly<Record<string, unknown>> } : {}),
  };
}
