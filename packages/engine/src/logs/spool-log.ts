import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit';
import { LOG_READING_NOT_SUPPORTED } from '@wharf/wire/docker/messages';
import { checkJournald, createJournaldSink } from './journald.ts';
import type { MonitorLog } from './log-service.ts';
import { LogStore } from './log-store.ts';
import { MonitorBrake } from './monitor-brake.ts';
import { mayDrop, type Rotation, readCache, readRotation } from './options.ts';
import { type ContainerLogOptions, compressBy, ReadableLog, spoolPathOf } from './readable-log.ts';
import { RotatingFile } from './rotating-file.ts';
import { Spool } from './spool.ts';
import { SpoolForwarder } from './spool-forwarder.ts';
import { checkSyslog, createSyslogSink } from './syslog.ts';

/** How long the end of a container waits for a remote driver to take the last messages. */
const FORWARD_GRACE_MS = 2_000;
/** A spool that only feeds a remote driver. */
const uncached: Rotation = { maxSizeBytes: 20_000_000, maxFiles: 2, compress: false };

/** `local`, and the remote drivers with their local cache: conmon's log itself is what is read. */
export class SpoolLog extends ReadableLog {
  readonly path = '';
  readonly #spool: Spool;
  readonly #brake: MonitorBrake;
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
    this.#brake = new MonitorBrake({ containerId: options.record.id, log: this.log });
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
    this.#brake.attach(pid);
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
      brake: this.#brake,
      mayDrop: mayDrop(options),
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
