import type { Digest } from '@wharf/kit';
import type { ImageName } from './names.ts';
import { bestManifest } from './resolve.ts';
import type { ImageRoom } from './room.ts';

export type ImageAction = 'tag' | 'untag' | 'delete' | 'load' | 'import' | 'save' | 'pull' | 'push' | 'create';

/** Publishes an image event that carries the name alone. */
export function announceName(room: ImageRoom, action: ImageAction, id: Digest, name: string): void {
  room.events.publish({ type: 'image', action, actorId: id, attributes: { name } });
}

/** Publishes an image event with the image's labels and the name, as dockerd does while the image is there. */
export async function announce(room: ImageRoom, action: ImageAction, image: ImageName, name: string): Promise<void> {
  const labels = await labelsOf(room, image);
  room.events.publish({ type: 'image', action, actorId: image.target.digest, attributes: { ...labels, name } });
}

/** Publishes a pull or a push, whose actor is the name itself. */
export async function announceTransfer(
  room: ImageRoom,
  action: 'pull' | 'push',
  image: ImageName,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<void> {
  const labels = await labelsOf(room, image);
  room.events.publish({ type: 'image', action, actorId: id, attributes: { ...labels, name } });
}

async function labelsOf(room: ImageRoom, image: ImageName): Promise<Readonly<Record<string, string>>> {
  try {
    const { manifest } = await bestManifest(room, image);
    const config = manifest === undefined ? undefined : await room.documents.configIfPresent(manifest.config.digest);
    return config?.config?.Labels ?? {};
  } catch {
    // An image without a usable manifest has no labels; the event still tells what happened.
    return {};
  }
}
