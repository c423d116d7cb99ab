import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, nullLogger, systemClock } from '@wharf/kit';
import { openContentStore } from '@wharf/oci/content/fs-store';
import { openSnapshotter } from '@wharf/oci/snapshots/open';
import { openMemoryStore, type Store } from '@wharf/store';
import type { EngineEvent } from '../events/event-bus.ts';
import { createEventBus } from '../events/events.ts';
import type { ImageUser } from './image-service.ts';
import { createImageService } from './images.ts';

/** For tests: the whole room over a temporary directory. Needs root, since it unpacks layers. */
export async function openRoom(given: { readonly root?: string; readonly store?: Store } = {}) {
  const root = given.root ?? (await mkdtemp(join(tmpdir(), 'wharf-images-')));
  const store = given.store ?? openMemoryStore();
  const content = await openContentStore({ root: join(root, 'content') });
  const snapshots = await openSnapshotter({ root: join(root, 'snapshots'), log: nullLogger });
  await snapshots.recover();
  const events = createEventBus({ clock: systemClock, log: nullLogger });
  const seen: EngineEvent[] = [];
  events.listen((event) => seen.push(event));
  const images = await createImageService({
    content,
    snapshots,
    store,
    events,
    log: nullLogger,
    clock: systemClock,
    dataRoot: root,
  });
  const users = new Map<Digest, readonly ImageUser[]>();
  images.setUsage(() => users);
  return {
    root,
    store,
    content,
    snapshots,
    images,
    users,
    events: seen,
    blobs: async () => (await Array.fromAsync(content.list())).map((blob) => blob.digest),
    [Symbol.asyncDispose]: async () => {
      await snapshots.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
