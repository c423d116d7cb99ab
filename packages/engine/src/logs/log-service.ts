import type { ContainerRecord } from '../containers/container.ts';

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  readonly timeNs: bigint;
  /** The bytes written, with their newline unless `partial`. */
  readonly line: Uint8Array;
  readonly partial: boolean;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
  /** The last so many lines; `undefined` for all. */
  readonly tail?: number | undefined;
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** What the monitor is to write: a file in CRI format (conmon's `k8s-file`), or nothing. */
export type MonitorLog = { readonly driver: 'k8s-file'; readonly path: string } | { readonly driver: 'none' };

/** One container's log, over all its runs. */
export interface ContainerLog {
  /** Prepares the files and says what conmon shall write. Called before each start; idempotent. */
  prepare(): Promise<MonitorLog>;
  /** The process runs and the monitor answers on `controlFifoPath` (rotation asks it to reopen the file). */
  attachMonitor(controlFifoPath: string): void;
  /** The process ended and the monitor has closed the file: everything is shipped before this resolves. */
  finish(): Promise<void>;
  /** Throws `not-implemented` for drivers that cannot be read, in Docker's words. */
  read(query: LogQuery): AsyncIterable<LogEntry>;
  /** What `inspect` shows as `LogPath`; `''` where the driver has no file. */
  readonly path: string;
  sizeBytes(): Promise<number>;
  remove(): Promise<void>;
}

export interface LogService {
  /** Checks driver and options at create. Throws `invalid-argument` in Docker's words. */
  validate(driver: string, options: Readonly<Record<string, string>>): void;
  /** The container's log; always the same object for one id. */
  open(record: ContainerRecord): ContainerLog;
  /** Names of the drivers, for `info`. */
  readonly drivers: readonly string[];
}
