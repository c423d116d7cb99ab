import type { ChainId, DiffId, Digest } from '@wharf/kit';
import type { ImageConfig } from '@wharf/oci/spec/image';

export interface ImagePlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** An image chosen for one platform and ready to run. */
export interface ResolvedImage {
  /** What Docker's containerd image store calls the image's id: the digest of the index or manifest the name points at. */
  readonly id: Digest;
  readonly manifestDigest: Digest;
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  readonly platform: ImagePlatform;
  readonly diffIds: readonly DiffId[];
  /** The whole stack of layers; `''` when there are none. */
  readonly chainId: ChainId | '';
}

/** A container that uses an image. */
export interface ImageUser {
  readonly containerId: string;
  readonly running: boolean;
  /** The image as the user named it at creation; lets a prune keep that name and let others of the image go. */
  readonly reference?: string | undefined;
  /** Which platform's manifest it runs; lets lists count containers per platform. */
  readonly manifestDigest?: Digest | '' | undefined;
}

/** Containers by the image id they were made from. */
export type ImageUsage = ReadonlyMap<Digest, readonly ImageUser[]>;

/** What other rooms need of images. The rest of the room's verbs serve `docker-api/images.ts` directly. */
export interface ImageService {
  /**
   * Finds an image by reference, id or id prefix. Throws `not-found` with Docker's text (`No such image: x:latest`), and
   * `not-found` when no manifest fits the platform.
   */
  resolve(reference: string, platform?: ImagePlatform): Promise<ResolvedImage>;
  /** Makes sure that all layers are unpacked as committed snapshots; idempotent and shared by concurrent callers. */
  ensureUnpacked(image: ResolvedImage): Promise<void>;
  /** Makes an image of a container's filesystem changes (`docker commit`); returns its id. */
  commit(options: {
    readonly snapshotKey: string;
    readonly parent: ResolvedImage | undefined;
    readonly config: ImageConfig;
    readonly comment: string;
    readonly author: string;
    /** The container's `createdBy` line for the history. */
    readonly createdBy: string;
    readonly reference?: string | undefined;
  }): Promise<Digest>;
  /** All images with the references that name them, for `ps` filters (`ancestor`) and `events`. */
  ancestors(reference: string): Promise<readonly Digest[]>;
  /** Says which image ids containers use; asked before deletion and prune. Set by the composition root. */
  setUsage(usage: () => ImageUsage): void;
}
