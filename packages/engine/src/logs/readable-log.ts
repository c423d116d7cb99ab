import { join } from 'node:path';
import type { Clock, Logger } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';
import { type Attributes, formatDetails, recordAttributes } from './attributes.ts';
import { LogFormatter } from './format-log.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { AttachQuery, ContainerLog, LogEntry, LogFormat, LogQuery, MonitorLog } from './log-service.ts';
import type { LogStore, OpenSegment } from './log-store.ts';
import type { LogThread } from './log-thread.ts';
import type { LogDriver, LogOptions } from './options.ts';
import { readLog } from './read-log.ts';
import { readTimeNs } from './times.ts';

export interface ContainerLogOptions {
  readonly record: ContainerRecord;
  readonly driver: LogDriver;
  readonly options: LogOptions;
  /** The container's folder under the data root. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly keeper: LogKeeper;
  readonly thread: LogThread;
}

/** What the drivers with files share: reading. */
export abstract class ReadableLog implements ContainerLog {
  abstract readonly path: string;
  protected readonly store: LogStore;
  protected readonly spoolPath: string;
  protected readonly directory: string;
  protected readonly attributes: Attributes;
  protected readonly log: Logger;
  readonly #clock: Clock;
  readonly #keeper: LogKeeper;

  constructor(options: ContainerLogOptions, store: LogStore) {
    this.store = store;
    this.directory = options.directory;
    this.spoolPath = spoolPathOf(options.directory);
    this.attributes = recordAttributes(options.record, options.options);
    this.log = options.log;
    this.#clock = options.clock;
    this.#keeper = options.keeper;
  }

  abstract prepare(): Promise<MonitorLog>;
  abstract attachMonitor(controlFifoPath: string, pid?: number): void;
  abstract notify(bytes: number): void;
  abstract finish(): Promise<void>;
  abstract sizeBytes(): Promise<number>;
  abstract remove(): Promise<void>;
  /** Everything written so far can be read from the store. */
  protected abstract upToDate(): Promise<void>;

  checkReadable(): void {}

  /** The log stays bounded when the daemon goes and the monitor stays. */
  protected keepBounded(monitorPid: number | undefined): void {
    if (monitorPid === undefined || monitorPid <= 0) return;
    void this.#keeper.watch(join(this.directory, 'log'), monitorPid, this.store.file.rotation);
  }

  async *read(query: LogQuery): AsyncGenerator<LogEntry, void, void> {
    this.checkReadable();
    await this.upToDate();
    for await (const scan of readLog(this.store, query, this.#clock)) {
      const entries: LogEntry[] = [];
      scan((record) => {
        const line = Buffer.allocUnsafe(record.end - record.start + (record.newline ? 1 : 0));
        record.data.copy(line, 0, record.start, record.end);
        if (record.newline) line[line.length - 1] = 0x0a;
        entries.push({
          stream: record.stream === 2 ? 'stderr' : 'stdout',
          timeNs: readTimeNs(record.time, record.timeStart, record.timeEnd),
          line,
          partial: !record.newline,
          attributes: this.attributes,
        });
      });
      yield* entries;
    }
  }

  async streamTo(query: LogQuery, format: LogFormat, write: (piece: Buffer) => Promise<void>): Promise<void> {
    this.checkReadable();
    await this.upToDate();
    const formatter = new LogFormatter(format, formatDetails(this.attributes));
    await this.copy(query, formatter, write);
  }

  /** conmon's own log tells of beginnings of lines at once: it is all an attached client needs. */
  attachTo(query: AttachQuery, write: (piece: Buffer) => Promise<void>): Promise<void> {
    return this.streamTo({ ...query, follow: true }, { ...query, timestamps: false, details: false }, write);
  }

  protected async copy(
    query: LogQuery,
    formatter: LogFormatter,
    write: (piece: Buffer) => Promise<void>,
    opened?: readonly OpenSegment[],
  ): Promise<void> {
    for await (const scan of readLog(this.store, query, this.#clock, opened)) {
      scan((record, continued) => formatter.add(record, continued));
      const piece = formatter.take();
      if (piece.length > 0) await write(piece);
    }
  }
}

/** Compresses a finished file in the log thread. */
export function compressBy({ thread }: ContainerLogOptions): (path: string, start: number) => Promise<void> {
  return (path, start) => thread.compress(path, start);
}

/** Where conmon writes. */
export function spoolPathOf(directory: string): string {
  return join(directory, 'log', 'container.log');
}
