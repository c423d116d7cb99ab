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

/** The form of the logs endpoint's body. */
export interface LogFormat {
  /** stdcopy frames, one a record; raw bytes otherwise, as for a terminal. */
  readonly framed: boolean;
  /** Nine-digit timestamps before each line. */
  readonly timestamps: boolean;
  /** The attributes that log options chose before each line. */
  readonly details: boolean;
}

/** What an attached client wants of the output. */
export interface AttachQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** stdcopy frames; raw bytes otherwise, as for a terminal. */
  readonly framed: boolean;
  readonly signal: AbortSignal;
}

/** What the monitor is to write: a file in CRI format (conmon's `k8s-file`), or nothing. */
export type MonitorLog = { readonly driver: 'k8s-file'; readonly path: string } | { readonly driver: 'none' };

/** One container's log, over all its runs. */
export interface ContainerLog {
  /** Prepares the files and says what conmon shall write. Called before each start; idempotent. */
  prepare(): Promise<MonitorLog>;
  /**
   * The process runs and the monitor, whose `pid` this is, answers on `controlFifoPath` (rotation asks it to reopen the file). It
   * is stopped for a time when the process writes more than can be shipped.
   */
  attachMonitor(controlFifoPath: string, pid?: number): void;
  /**
   * conmon has written so many more bytes to its log. Wire it to `onOutput` of the process's streams: it drives shipping,
   * rotation and followers.
   */
  notify(bytes: number): void;
  /**
   * The process ended and the monitor has closed the file. Followers end after the last byte; what is not yet shipped
   * to the driver's own file is shipped beside, and `read` waits for it.
   */
  finish(): Promise<void>;
  /** Throws `not-implemented` for drivers that cannot be read, in Docker's words. */
  read(query: LogQuery): AsyncIterable<LogEntry>;
  /** Throws as `read` does, before anything is sent. */
  checkReadable(): void;
  /**
   * As `read`, in the form of the logs endpoint and in large pieces: the way for gigabytes. Waits for `write` before
   * it reads on.
   */
  streamTo(query: LogQuery, format: LogFormat, write: (piece: Buffer) => Promise<void>): Promise<void>;
  /**
   * The log so far and, while the process runs, what it writes from there on: byte by byte as it comes, lines that have no
   * end yet too, and each byte once. Ends with the process, or when `write` lags so far behind that it cannot be waited for.
   */
  attachTo(query: AttachQuery, write: (piece: Buffer) => Promise<void>): Promise<void>;
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
