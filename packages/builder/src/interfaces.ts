import type { ChainId, DiffId, Digest } from '@wharf/kit';
import type { BlobInfo, BlobWriter, ContentStore } from '@wharf/oci/content/content-store';
import type { RegistryCredentials } from '@wharf/oci/remote/credentials';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import type { BaseImage } from './plan/vertex.ts';

/** What a running step sees at a path of its own. */
export type StepVolume =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes: number };

/** Limits that a build puts on each of its steps; the words and units of Docker's build parameters. */
export interface StepLimits {
  readonly memoryBytes?: number | undefined;
  readonly memorySwapBytes?: number | undefined;
  readonly cpuShares?: number | undefined;
  readonly cpuPeriod?: number | undefined;
  readonly cpuQuota?: number | undefined;
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  readonly cgroupParent?: string | undefined;
  readonly shmSizeBytes?: number | undefined;
  readonly ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[] | undefined;
}

/** Somebody who sits at a step. */
export interface StepConsole {
  /** The command has a terminal, and all it writes comes as `stdout`. */
  readonly tty: boolean;
  /** Called once the command is begun. */
  readonly started: (process: StepProcess) => void;
}

/** A step under way, for its console. Once it has ended nothing happens any more. */
export interface StepProcess {
  /** Writes to its standard input; resolves when more may follow. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends its standard input; of a terminal there is no end. */
  endInput(): void;
  resize(window: { readonly rows: number; readonly columns: number }): void;
  /** Sends the command a signal: `INT`, `KILL`. Throws `invalid-argument` for what is none. */
  signal(name: string): void;
  /** Runs another command beside it, behind the same walls, to its end; which is that of the first command at the latest. */
  exec(command: StepExec): Promise<{ readonly exitCode: number }>;
}

/** A command beside one that runs. */
export interface StepExec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly console?: StepConsole | undefined;
  readonly signal: AbortSignal;
}

/** One command to run in a tree that is mounted already. */
export interface StepOrder {
  /** A name of its own; 64 hexadecimal digits. */
  readonly id: string;
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, looked up in the tree; empty for root. */
  readonly user: string;
  readonly volumes: readonly StepVolume[];
  /** `default` is the network the whole build was given. */
  readonly network: string;
  /** All of the host's powers. */
  readonly privileged: boolean;
  readonly hostname: string;
  /** `name:address` lines for /etc/hosts. */
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
  /** Takes what the command writes; called in order. */
  readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** Absent for a command that nobody talks to. */
  readonly console?: StepConsole | undefined;
  readonly signal: AbortSignal;
}

/** Runs commands in trees; the container engine is one. */
export interface StepRunner {
  /**
   * Runs a command to its end and leaves nothing of it but what it changed in its tree. An abort kills it. Throws where it
   * could not be started at all.
   */
  run(order: StepOrder): Promise<{ readonly exitCode: number }>;
}

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
