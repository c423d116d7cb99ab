import type { Duplex } from 'node:stream';
import type { ContainerId, ExecId } from '@wharf/kit';
import type { ProcessStreams } from '../streams/process-streams.ts';

export interface ExecConfig {
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDirectory: string;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly privileged: boolean;
  readonly detachKeys?: string | undefined;
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined;
}

export interface Exec {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly config: ExecConfig;
  readonly running: boolean;
  /** `undefined` until it ended. */
  readonly exitCode: number | undefined;
  readonly pid: number;
}

export interface ExecStartOptions {
  /** What the client reads: raw bytes as from a terminal, or framed ones. The exec itself has a terminal or not. */
  readonly tty: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined;
}

export interface AttachedStartOptions extends ExecStartOptions {
  /** Puts into words for the client what kept the exec from starting; it may write into the client's stream. */
  readonly refused: (error: unknown) => void;
}

export interface ProbeResult {
  readonly exitCode: number;
  /** Both streams in order of arrival, cut at `outputLimitBytes`. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** Further processes in running containers. An exec lives in memory only: made, started once, kept a while after its end. */
export interface ExecService {
  create(containerIdOrName: string, config: ExecConfig): Promise<ExecId>;
  /** Throws `not-found` (`No such exec instance: x`). */
  get(id: string): Exec;
  /** As `get`, but of an exec whose output has ended it waits the moment until the exit code is known too. */
  settled(id: string): Promise<Exec>;
  /** Throws what `start` would throw for this exec now, before a connection is taken over. */
  check(id: string): void;
  /** Starts it in the background; resolves once the process runs. */
  startDetached(id: string, options: ExecStartOptions): Promise<void>;
  /**
   * Starts it with `client` attached and resolves when the attachment ends (the process ended and all output was sent, the
   * client left, or the detach keys came). What keeps the process from running is told through `refused`.
   */
  startAttached(id: string, client: Duplex, options: AttachedStartOptions): Promise<void>;
  resize(id: string, size: { readonly height: number; readonly width: number }): void;
  streams(id: string): ProcessStreams;
  /** Ids of the execs that have not ended, by container. */
  running(containerId: ContainerId): readonly ExecId[];
  /** The container is no longer running: its execs are over. */
  forget(containerId: ContainerId): void;
  /**
   * Runs a command for a health check: no monitor, killed with its process group's help when `timeoutMs` is over.
   * `environment` and user are the container's.
   */
  probe(
    containerId: ContainerId,
    command: readonly string[],
    options: {
      readonly timeoutMs: number;
      readonly outputLimitBytes: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<ProbeResult>;
  close(): void;
}
