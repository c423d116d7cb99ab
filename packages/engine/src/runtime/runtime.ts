import type { Spec, SpecResources } from './oci-spec/spec.ts';

/** Where a runtime keeps things of one container or exec, all under the exec root. */
export interface Bundle {
  readonly id: string;
  /** Holds config.json, the rootfs mount point, the monitor's socket and FIFOs. */
  readonly directory: string;
}

/** Live limits in the form of the OCI runtime spec (config-linux.md, "Resources"). */
export type LinuxResources = SpecResources;

/**
 * One OCI runtime: a program that follows the runtime command line interface (opencontainers/runtime-tools,
 * command-line-interface.md). Creating goes through the monitor, which runs the program itself; see `monitor.ts`.
 *
 * Every call has a deadline; a runtime that hangs is killed and `deadline-exceeded` thrown. A runtime's own message comes
 * as `internal` with Docker's prefix.
 */
export interface OciRuntime {
  readonly name: string;
  readonly path: string;
  /** What to run: the program, or a copy of it that starts sooner. Valid while this process lives. */
  readonly executable: string;
  /** Arguments before the command, the state root among them. */
  readonly globalArguments: readonly string[];
  /** Its `exec` may run with pipes of ours instead of a monitor's: its words about what it could not run come apart from the output. */
  readonly runsExecs: boolean;
  /** The specification in the form this runtime is quickest with; `learn` the created container to be quicker next time. */
  tune(spec: Spec): Spec;
  /** A container of that specification is created and not yet started. */
  learn(id: string, spec: Spec): void;
  /** Lets a created container's process run. */
  start(id: string): Promise<void>;
  /** True while a container of that id is created and has not been started. */
  isWaiting(id: string): boolean;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  update(id: string, resources: LinuxResources): Promise<void>;
  /** Pids of all processes in the container, in the host's namespace. */
  processes(id: string): Promise<readonly number[]>;
  checkpoint(
    id: string,
    options: { readonly imagePath: string; readonly workPath: string; readonly leaveRunning: boolean },
  ): Promise<void>;
  /** Removes state and cgroups; kills what is left in them. Idempotent. */
  delete(id: string): Promise<void>;
  /** Ids the runtime keeps state of, for the repair after a crash. */
  list(): Promise<readonly string[]>;
}

/** The runtimes of this daemon by name. */
export interface Runtimes {
  readonly defaultName: string;
  readonly names: readonly string[];
  /** Throws `invalid-argument` (`unknown or invalid runtime name: x`). */
  get(name: string | undefined): OciRuntime;
  readonly monitorPath: string;
}
