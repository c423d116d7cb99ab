import type { ChainId, DiffId, Digest } from '@wharf/kit';
import type { BlobInfo, BlobWriter, ContentStore } from '@wharf/oci/content/content-store';
import type { RegistryCredentials } from '@wharf/oci/remote/credentials';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import type { BaseImage } from './plan/vertex.ts';

/** Finds the client's credentials for a registry (`docker.io`, `localhost:5000`). */
export type CredentialsSource = (
  registry: string,
) => RegistryCredentials | undefined | Promise<RegistryCredentials | undefined>;

/** Images as the builder needs them. */
export interface BuildImages {
  /** Finds an image for a platform and sees to it that it is unpacked; pulls it when it is not there or `pull` asks for it. */
  resolve(
    reference: string,
    platform: Platform,
    options: {
      readonly pull: boolean;
      readonly progress: (line: unknown) => void;
      readonly signal: AbortSignal;
      readonly credentials?: CredentialsSource | undefined;
    },
  ): Promise<BaseImage>;
  /** True when an image of that name is here. */
  has(reference: string): Promise<boolean>;
  /** The snapshots that images stand on. */
  sharedSnapshots(): Promise<ReadonlySet<string>>;
  /** Gives back what nothing refers to any more. */
  collect(): Promise<void>;
  /** The blobs of the image store. */
  readonly content: ContentStore;
  /** Keeps what is counted on from being collected until it is disposed of. */
  lease(): ImageLease;
  /** Notes that a layer's blob can be made from a snapshot whenever somebody asks for it. */
  noteLayer(layer: { readonly descriptor: Descriptor; readonly chainId: ChainId }): void;
  /**
   * Finds or makes a layer's blob. A layer that a build made takes the form; one that came with an image stays as it is, unless
   * forced. Throws `not-found` for a blob that is not here and cannot be made.
   */
  packLayer(
    layer: { readonly descriptor: Descriptor; readonly form: LayerForm; readonly force: boolean },
    under: { readonly lease: ImageLease; readonly signal: AbortSignal },
  ): Promise<PackedLayer>;
  /** Makes snapshots of layers whose blobs are here, lowest first. Throws `not-found`, `data-loss`. */
  unpackStack(stack: { readonly layers: readonly Descriptor[]; readonly diffIds: readonly DiffId[] }): Promise<void>;
  /** A repository to read from: a manifest by its name or a digest, and blobs, whose bytes are not checked. */
  remoteContent(
    name: string,
    options: {
      readonly credentials: CredentialsSource | undefined;
      readonly insecure: boolean;
      readonly signal: AbortSignal;
    },
  ): Promise<RemoteContent>;
  /** Gives an image whose documents are in the store its names; it is dangling without any. */
  name(target: Descriptor, names: readonly string[]): Promise<void>;
  /** Sends an image to a registry under a name, or by its digest alone. */
  push(
    target: Descriptor,
    name: string,
    options: {
      readonly byDigest: boolean;
      /** The registry may do without a certificate that is trusted here, or without any. */
      readonly insecure: boolean;
      readonly credentials: CredentialsSource | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<void>;
}

/** Documents and blobs that lie elsewhere. */
export interface RemoteContent {
  document(digest?: Digest): Promise<{ readonly descriptor: Descriptor; readonly bytes: Buffer }>;
  blob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Keeps content of the image store alive for the time of one operation. */
export interface ImageLease extends Disposable {
  keepSnapshot(chainId: ChainId): void;
  keep(digest: Digest): void;
  put(bytes: Uint8Array): Promise<BlobInfo>;
  commit(writer: BlobWriter, expected?: { readonly digest?: Digest; readonly sizeBytes?: number }): Promise<BlobInfo>;
  /** Keeps a blob that is there already, or that can be made from a snapshot; `undefined` otherwise. */
  adopt(digest: Digest): Promise<BlobInfo | undefined>;
}

/** How a layer's blob is wanted. */
export interface LayerForm {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of gzip 0 to 9, of zstd 1 to 22; the store's own choice when absent. */
  readonly level?: number | undefined;
  /** Later times of files are written as this one, which makes another layer of it; nanoseconds since 1970. */
  readonly latestNs?: bigint | undefined;
}

/** A layer's blob as it is. */
export interface PackedLayer extends BlobInfo {
  readonly compression: LayerForm['compression'];
  /** Where the form made another layer of it. */
  readonly diffId?: DiffId;
}
