import type { List } from './common.ts';

/** The body of `POST /containers/{id}/exec`. */
export interface ExecCreateRequest {
  readonly User?: string | undefined;
  readonly Privileged?: boolean | undefined;
  readonly Tty?: boolean | undefined;
  /** Height, width; since 1.42. */
  readonly ConsoleSize?: readonly number[] | undefined;
  readonly AttachStdin?: boolean | undefined;
  readonly AttachStderr?: boolean | undefined;
  readonly AttachStdout?: boolean | undefined;
  readonly DetachKeys?: string | undefined;
  readonly Env?: List<string> | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Cmd?: List<string> | undefined;
}

/** The body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  readonly Detach?: boolean | undefined;
  readonly Tty?: boolean | undefined;
  readonly ConsoleSize?: readonly number[] | undefined;
}

export interface ProcessConfig {
  readonly tty: boolean;
  readonly entrypoint: string;
  readonly arguments: readonly string[];
  readonly privileged?: boolean | undefined;
  readonly user?: string | undefined;
}

export interface ExecInspectResponse {
  readonly ID: string;
  readonly Running: boolean;
  /** `null` until it ended. */
  readonly ExitCode: number | null;
  readonly ProcessConfig: ProcessConfig;
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  readonly DetachKeys: string;
  readonly Pid: number;
}
