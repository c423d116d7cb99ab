import { join } from 'node:path';
import type { Clock, Logger } from '@wharf/kit';
import type { Store } from '@wharf/store';
import { DOCKER_PLUGIN_DIRECTORIES, PluginDirectory } from '@wharf/wire/plugins/directory';
import type { EventBus } from '../events/event-bus.ts';
import type { ImageMountSources } from './image-mounts.ts';
import { Volumes } from './volume-room.ts';

/** Makes the room of volumes, with what is found under the data root taken into its books. */
export async function createVolumeService(options: {
  readonly store: Store;
  readonly dataRoot: string;
  readonly events: EventBus;
  readonly log: Logger;
  readonly clock: Clock;
  /** Without them mounts of type `image` are refused. */
  readonly imageMounts?: ImageMountSources | undefined;
  /** Where plugins are looked for; Docker's directories when empty, nowhere when absent. */
  readonly pluginDirs?: readonly string[] | undefined;
}): Promise<Volumes> {
  const { pluginDirs } = options;
  const own = pluginDirs === undefined || pluginDirs.length === 0 ? undefined : pluginDirs;
  const directories = own === undefined ? DOCKER_PLUGIN_DIRECTORIES : { sockets: own, specs: own };
  const volumes = new Volumes({
    ...options,
    plugins: pluginDirs === undefined ? undefined : new PluginDirectory(directories),
    volumesDir: join(options.dataRoot, 'volumes'),
    pinsDir: join(options.dataRoot, 'tmp', 'subpaths'),
  });
  await volumes.recover();
  return volumes;
}

export type { Volumes } from './volume-room.ts';
export type { RuntimeMount, VolumeService } from './volume-service.ts';
