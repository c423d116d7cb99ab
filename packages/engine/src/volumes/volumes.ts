import { join } from 'node:path';
import type { Clock, Logger } from '@wharf/kit';
import type { Store } from '@wharf/store';
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
}): Promise<Volumes> {
  const volumes = new Volumes({
    ...options,
    volumesDir: join(options.dataRoot, 'volumes'),
    pinsDir: join(options.dataRoot, 'tmp', 'subpaths'),
  });
  await volumes.recover();
  return volumes;
}

export type { Volumes } from './volume-room.ts';
export type { RuntimeMount, VolumeService } from './volume-service.ts';
