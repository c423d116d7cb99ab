/** What a running step sees at a path of its own. */
export type StepVolume =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: 'tmpfs'; readonly target: string; readonly sizeBytes: number };

/** Limits of a step, in the words and units of Docker's build parameters. */
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

/** One command to run in a root file system that the caller has mounted at `…/rootfs`. */
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
  /** A network's name, `none`, `host`, or `default`. */
  readonly network: string;
  /** All of the host's powers, as a privileged container has them. */
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
