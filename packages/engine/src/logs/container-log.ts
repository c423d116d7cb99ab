import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, messageOf, WharfError } from '@wharf/kit';
import { LOG_READING_NOT_SUPPORTED } from '@wharf/wire/docker/messages';
import type { ContainerRecord } from '../containers/container.ts';
import { type Attributes, formatDetails, recordAttributes } from './attributes.ts';
import { LogFormatter } from './format-log.ts';
import { checkJournald, createJournaldSink } from './journald.ts';
import { JsonShipper } from './json-shipper.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { ContainerLog, LogEntry, LogFormat, LogQuery, MonitorLog } from './log-service.ts';
import { LogStore } from './log-store.ts';
import type { LogThread } from './log-thread.ts';
import { MonitorBrake } from './monitor-brake.ts';
import { type LogDriver, type LogOptions, type Rotation, readCache, readRotation } from './options.ts';
import { readLog } from './read-log.ts';
import { RotatingFile } from './rotating-file.ts';
import { createFile, fileSize, Spool } from './spool.ts';
import { SpoolForwarder } from './spool-forwarder.ts';
import { checkSyslog, createSyslogSink } from './syslog.ts';
import { readTimeNs } from './times.ts';

/** How long the end of a container waits for a remote driver to take the last messages. */
const FORWARD_GRACE_MS = 2_000;
/** A spool that only feeds a remote driver. */
const uncached: Rotation = { maxSizeBytes: 20_000_000, maxFiles: 2, compress: false };

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

/** Opens the log of a container with the parts its driver needs. */
export function createContainerLog(options: ContainerLogOptions): ContainerLog {
  const { driver } = options;
  if (driver === 'none') return new NoLog();
  return driver === 'json-file' ? new JsonFileLog(options) : new SpoolLog(options);
}

/** The `none` driver. */
class NoLog implements ContainerLog {
  readonly path = '';
  async prepare(): Promise<MonitorLog> {
    return { driver: 'none' };
  }
  attachMonitor(): void {}
  notify(): void {}
  async finish(): Promise<void> {}
  checkReadable(): void {
    throw new WharfError('not-implemented', LOG_READING_NOT_SUPPORTED);
  }
  read(): AsyncIterable<LogEntry> {
    throw new WharfError('not-implemented', LOG_READING_NOT_SUPPORTED);
  }
  async streamTo(): Promise<void> {
    this.checkReadable();
  }
  async sizeBytes(): Promise<number> {
    return 0;
  }
  async remove(): Promise<void> {}
}

/** What the drivers with files share: reading. */
abstract class ReadableLog implements ContainerLog {
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
    for await (const scan of readLog(this.store, query, this.#clock)) {
      scan((record, continued) => formatter.add(record, continued));
      const piece = formatter.take();
      if (piece.length > 0) await write(piece);
    }
  }
}

function compressBy({ thread }: ContainerLogOptions): (path: string) => Promise<void> {
  return (path) => thread.compress(path);
}

function spoolPathOf(directory: string): string {
  return join(directory, 'log', 'container.log');
}

/** The `json-file` driver: conmon's log is shipped to Docker's own file. */
class JsonFileLog extends ReadableLog {
  readonly path: string;
  readonly #shipper: JsonShipper;
  readonly #brake: MonitorBrake;
  /** Counts runs: the end of one must not end the followers of the next. */
  #run = 0;

  constructor(options: ContainerLogOptions) {
    const path = join(options.directory, `${options.record.id}-json.log`);
    super(
      options,
      new LogStore(new RotatingFile(path, readRotation('json-file', options.options), compressBy(options)), 'json'),
    );
    this.path = path;
    this.#brake = new MonitorBrake({ containerId: options.record.id, log: options.log });
    this.#shipper = new JsonShipper({
      brake: this.#brake,
      thread: options.thread,
      spoolPath: this.spoolPath,
      cursorPath: join(this.directory, 'log', 'cursor.json'),
      store: this.store,
      attributes: this.attributes,
      log: this.log,
    });
  }

  async prepare(): Promise<MonitorLog> {
    await createFile(this.spoolPath);
    await createFile(this.path);
    this.#run += 1;
    this.store.running = true;
    return { driver: 'k8s-file', path: this.spoolPath };
  }

  attachMonitor(_controlFifoPath: string, pid?: number): void {
    this.#brake.attach(pid);
    this.keepBounded(pid);
    if (!this.store.running) this.#run += 1;
    this.store.running = true;
    // What a container wrote while no daemon was there waits in the spool.
    fileSize(this.spoolPath).then(
      (size) => {
        if (size !== undefined && size > 0) this.#shipper.notify();
      },
      // The pass says what is wrong with the file.
      () => this.#shipper.notify(),
    );
  }

  notify(): void {
    this.#shipper.notify();
  }

  async finish(): Promise<void> {
    const run = this.#run;
    const shipped = this.#shipper
      .finish()
      .catch((error: unknown) => this.log.error({ error: messageOf(error) }, 'Log was not shipped'))
      .finally(() => {
        if (run === this.#run) this.store.running = false;
        this.store.changed();
      });
    // A large backlog does not hold the report of the exit: readers wait for it themselves.
    if (((await fileSize(this.spoolPath)) ?? 0) < 1024 * 1024) await shipped;
  }

  protected override async upToDate(): Promise<void> {
    await this.#shipper.sync();
  }

  async sizeBytes(): Promise<number> {
    return this.store.file.sizeBytes();
  }

  async remove(): Promise<void> {
    this.store.running = false;
    await this.#shipper.remove();
    this.store.changed();
    await this.store.file.remove();
    await rm(join(this.directory, 'log'), { recursive: true, force: true });
  }
}

/** `local`, and the remote drivers with their local cache: conmon's log itself is what is read. */
class SpoolLog extends ReadableLog {
  readonly path = '';
  readonly #spool: Spool;
  readonly #options: ContainerLogOptions;
  readonly #readable: boolean;
  #forwarder: SpoolForwarder | undefined;

  constructor(options: ContainerLogOptions) {
    const local = options.driver === 'local';
    const rotation = local ? readRotation('local', options.options) : readCache(options.options);
    super(
      options,
      new LogStore(new RotatingFile(spoolPathOf(options.directory), rotation ?? uncached, compressBy(options)), 'cri'),
    );
    this.#options = options;
    this.#readable = rotation !== undefined;
    this.#spool = new Spool(this.store, this.log);
  }

  async prepare(): Promise<MonitorLog> {
    if (this.#options.driver === 'journald') checkJournald();
    if (this.#options.driver === 'syslog') checkSyslog(this.#options.options);
    await mkdir(join(this.directory, 'log'), { recursive: true, mode: 0o700 });
    await this.#spool.prepare();
    this.store.running = true;
    return { driver: 'k8s-file', path: this.spoolPath };
  }

  attachMonitor(controlFifoPath: string, pid?: number): void {
    this.keepBounded(pid);
    this.store.running = true;
    this.#spool.attachMonitor(controlFifoPath);
    this.#forward();
  }

  #forward(): void {
    const { driver, record, options } = this.#options;
    if (driver === 'local') return;
    this.#forwarder ??= new SpoolForwarder({
      store: this.store,
      cursorPath: join(this.directory, 'log', 'cursor.json'),
      sink: driver === 'syslog' ? createSyslogSink(record, options) : createJournaldSink(record, options),
      log: this.log,
    });
    this.#forwarder.start();
  }

  notify(bytes: number): void {
    this.#spool.notify(bytes);
    this.store.changed();
  }

  async finish(): Promise<void> {
    this.store.running = false;
    this.#spool.finish();
    this.store.changed();
    await this.#forwarder?.drained(FORWARD_GRACE_MS);
  }

  override checkReadable(): void {
    if (!this.#readable) throw new WharfError('not-implemented', LOG_READING_NOT_SUPPORTED);
  }

  protected override async upToDate(): Promise<void> {}

  async sizeBytes(): Promise<number> {
    return this.store.file.sizeBytes();
  }

  async remove(): Promise<void> {
    await this.finish();
    await this.#forwarder?.remove();
    await this.store.file.remove();
    await rm(join(this.directory, 'log'), { recursive: true, force: true });
  }
}
