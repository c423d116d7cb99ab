import type { ContainerId, Digest } from '@wharf/kit';
import type { ContainerConfig, ContainerUpdateRequest, HostConfig, NetworkingConfig } from '@wharf/wire/docker/types';
import type { ImagePlatform } from '../images/image-service.ts';
import type { ContainerLog } from '../logs/log-service.ts';
import type { ProcessStreams } from '../streams/process-streams.ts';
import type { ContainerRecord, HealthState } from './container.ts';

export interface CreateOptions {
  /** With or without the leading slash; a random name when absent. */
  readonly name?: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig?: NetworkingConfig | undefined;
  readonly platform?: ImagePlatform | undefined;
  /** Read-only binds leave the mounts below them writable, as before API 1.44. */
  readonly shallowReadOnly?: boolean | undefined;
}

export interface CreateResult {
  readonly id: ContainerId;
  readonly warnings: readonly string[];
}

export interface StopOptions {
  /** A name or number; the container's own stop signal when absent. */
  readonly signal?: string | undefined;
  /** Seconds until SIGKILL; negative waits for ever; the container's own when absent. */
  readonly timeoutSeconds?: number | undefined;
}

export interface RemoveOptions {
  readonly force: boolean;
  /** Anonymous volumes go too. */
  readonly removeVolumes: boolean;
  /** Removes a link of `--link` rather than the container. */
  readonly link: boolean;
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string | undefined;
}

export interface TopResult {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[];
}

export interface CommitOptions {
  readonly reference?: string | undefined;
  readonly comment: string;
  readonly author: string;
  readonly pause: boolean;
  readonly config?: ContainerConfig | undefined;
  /** Dockerfile instructions, as `--change` gives them. */
  readonly changes: readonly string[];
}

export interface CheckpointOptions {
  readonly checkpoint: string;
  readonly exit: boolean;
  readonly directory?: string | undefined;
}

/**
 * The containers of this host. One instance per daemon; all records live in memory, so reads never wait.
 *
 * Names: every `idOrName` is a full id, a name with or without slash, or an unambiguous id prefix, in this order.
 * Verbs on one container run one at a time; a verb never holds the container's lock while it waits for the process to
 * end. Errors carry Docker's texts.
 */
export interface ContainerService {
  /** Throws `not-found` (`No such container: x`), or `invalid-argument` when a prefix names several. */
  get(idOrName: string): ContainerRecord;
  find(idOrName: string): ContainerRecord | undefined;
  /** All containers, in no order. */
  list(): readonly ContainerRecord[];
  /** The streams of the run in progress, or of the next one: clients may attach before the start. */
  streams(id: ContainerId): ProcessStreams;
  log(id: ContainerId): ContainerLog;
  /** Execs that run in the container now, for `inspect`. */
  execIds(id: ContainerId): readonly string[];

  create(options: CreateOptions): Promise<CreateResult>;
  /** Throws `not-modified` when it runs already. */
  start(
    idOrName: string,
    options?: { readonly checkpoint?: string; readonly checkpointDirectory?: string },
  ): Promise<void>;
  /** Throws `not-modified` when it does not run. Resolves once the exit is booked. */
  stop(idOrName: string, options: StopOptions): Promise<void>;
  kill(idOrName: string, signal: string | undefined): Promise<void>;
  restart(idOrName: string, options: StopOptions): Promise<void>;
  pause(idOrName: string): Promise<void>;
  unpause(idOrName: string): Promise<void>;
  rename(idOrName: string, newName: string): Promise<void>;
  update(idOrName: string, change: ContainerUpdateRequest): Promise<{ readonly warnings: readonly string[] }>;
  remove(idOrName: string, options: RemoveOptions): Promise<void>;
  /**
   * Takes its place in the line at once (also when the caller goes on without awaiting `result`), so that a start that
   * follows cannot be missed.
   */
  wait(idOrName: string, condition: WaitCondition, signal: AbortSignal): { readonly result: Promise<WaitResult> };
  top(idOrName: string, psArguments: string): Promise<TopResult>;
  resize(idOrName: string, size: { readonly height: number; readonly width: number }): void;
  prune(filters: ReadonlyMap<string, readonly string[]>): Promise<{
    readonly deleted: readonly ContainerId[];
    readonly spaceReclaimedBytes: number;
  }>;
  commit(idOrName: string, options: CommitOptions): Promise<Digest>;
  checkpointCreate(idOrName: string, options: CheckpointOptions): Promise<void>;
  checkpointList(idOrName: string, directory: string | undefined): Promise<readonly string[]>;
  checkpointRemove(idOrName: string, checkpoint: string, directory: string | undefined): Promise<void>;

  /**
   * Runs `work` with the path of the container's root filesystem on the host: the live mount when it runs, else a mount made
   * for the time of the call and shared by concurrent callers. Bind mounts and volumes are not in it.
   */
  withRootfs<T>(id: ContainerId, work: (rootfs: string) => Promise<T>): Promise<T>;
  /** Bytes the container has written, and of its whole root filesystem. */
  size(id: ContainerId): Promise<{ readonly sizeRw: number; readonly sizeRootFs: number }>;

  /** Changes the record without any effect beyond saving it: for networks (endpoints) and health. */
  amend(id: ContainerId, change: (record: ContainerRecord) => ContainerRecord): ContainerRecord | undefined;
  setHealth(id: ContainerId, health: HealthState | undefined): void;
  /** Publishes a container event with the record's attributes (image, name, labels) and `extra`. */
  publish(record: ContainerRecord, action: string, extra?: Readonly<Record<string, string>>): void;

  /** After a daemon start: adopts what runs, books what ended meanwhile, removes what was half made, applies restart policies. */
  restore(): Promise<void>;
  /** Ends supervision without touching the containers: they run on. */
  close(): Promise<void>;
}
