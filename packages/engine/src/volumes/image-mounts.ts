import { createHash } from 'node:crypto';
import type { ChainId, ContainerId, Digest } from '@wharf/kit';
import { WharfError } from '@wharf/kit';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { ImageService } from '../images/image-service.ts';

/** Where the files of image mounts come from. */
export interface ImageMountSources {
  readonly images: Pick<ImageService, 'resolve' | 'ensureUnpacked'>;
  readonly snapshots: Pick<Snapshotter, 'prepare' | 'remove' | 'mounts' | 'list' | 'stat'>;
}

/** The image behind a mount, for as long as the container is there: removing the image by force does not change it. */
export interface MountedImage {
  readonly id: Digest;
  readonly manifestDigest: Digest;
  /** The snapshot that keeps the image's layers. */
  readonly snapshotKey: string;
}

const PREFIX = 'image-mount-';

/**
 * `--mount type=image`: each mount stands on a snapshot of its own, which holds the image's layers from the container's
 * creation to its removal and is only ever mounted read-only.
 */
export class ImageMounts {
  readonly #sources: ImageMountSources | undefined;

  constructor(sources: ImageMountSources | undefined) {
    this.#sources = sources;
  }

  /** Unpacks the image when that was not done yet. Throws `not-found` when there is none of that name. */
  async hold(options: {
    readonly containerId: ContainerId;
    readonly destination: string;
    readonly reference: string;
  }): Promise<MountedImage> {
    const { images } = this.#get();
    const image = await images.resolve(options.reference);
    await images.ensureUnpacked(image);
    const snapshotKey = await this.#prepare(options, image.chainId);
    return { id: image.id, manifestDigest: image.manifestDigest, snapshotKey };
  }

  /** Holds for another container what one has mounted (`--volumes-from`). */
  async share(
    image: MountedImage,
    options: { readonly containerId: ContainerId; readonly destination: string },
  ): Promise<MountedImage> {
    const parent = this.#get().snapshots.stat(image.snapshotKey)?.parent ?? '';
    return { ...image, snapshotKey: await this.#prepare(options, parent) };
  }

  /** Mounts at an existing directory. Throws `SystemError`. */
  mount(image: MountedImage, target: string): void {
    mountSnapshot(this.#get().snapshots.mounts(image.snapshotKey, { readOnly: true }), target);
  }

  /** Lets go of all that a container held. Idempotent. */
  async release(containerId: string): Promise<void> {
    for (const key of this.#keys(`${PREFIX}${containerId}-`)) await this.#sources?.snapshots.remove(key);
  }

  /** Lets go of what containers held that are no more. */
  async restore(isKnown: (containerId: string) => boolean): Promise<void> {
    for (const key of this.#keys(PREFIX)) {
      const containerId = key.slice(PREFIX.length, key.lastIndexOf('-'));
      if (!isKnown(containerId)) await this.#sources?.snapshots.remove(key);
    }
  }

  async #prepare(
    { containerId, destination }: { readonly containerId: ContainerId; readonly destination: string },
    parent: ChainId | '',
  ): Promise<string> {
    const key = `${PREFIX}${containerId}-${placeName(destination)}`;
    await this.#get().snapshots.prepare(key, parent);
    return key;
  }

  #keys(prefix: string): string[] {
    const all = this.#sources?.snapshots.list() ?? [];
    return all.filter(({ key }) => key.startsWith(prefix)).map(({ key }) => key);
  }

  #get(): ImageMountSources {
    if (this.#sources === undefined)
      throw new WharfError('not-implemented', 'mounts of type "image" are not supported');
    return this.#sources;
  }
}

/** A destination as a file name. */
export function placeName(destination: string): string {
  return createHash('sha256').update(destination).digest('hex').slice(0, 16);
}
