import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '@wharf/kit';
import { followSpool, pendingRecords } from './attach-log.ts';
import { LogFormatter } from './format-log.ts';
import { JsonShipper } from './json-shipper.ts';
import { ATTACH_GRACE_MS } from './limits.ts';
import type { AttachQuery, MonitorLog } from './log-service.ts';
import { Follower, LogStore } from './log-store.ts';
import { MonitorBrake } from './monitor-brake.ts';
import { mayDrop, readRotation } from './options.ts';
import { type ContainerLogOptions, compressBy, ReadableLog } from './readable-log.ts';
import type { LogRecord } from './record.ts';
import { RotatingFile } from './rotating-file.ts';
import { createFile, fileSize } from './spool.ts';

/** The `json-file` driver: conmon's log is shipped to Docker's own file. */
export class JsonFileLog extends ReadableLog {
  readonly path: string;
  readonly #shipper: JsonShipper;
  readonly #brake: MonitorBrake;
  /** Counts runs: the end of one must not end the followers of the next. */
  #run = 0;
  #endedRun = 0;
  /** Attached clients that read the spool. */
  readonly #attached = new Map<Follower, Promise<void>>();

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
      mayDrop: mayDrop(options.options),
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
    for (const follower of this.#attached.keys()) follower.notify();
  }

  async finish(): Promise<void> {
    const run = this.#run;
    this.#endedRun = run;
    for (const follower of this.#attached.keys()) follower.notify();
    const shipped = this.#shipper
      .finish()
      .catch((error: unknown) => this.log.error({ error: messageOf(error) }, 'Log was not shipped'))
      .finally(() => {
        if (run === this.#run) this.store.running = false;
        this.store.changed();
      });
    // Who is attached has the last bytes before the end is told, or is slow.
    const grace = sleep(ATTACH_GRACE_MS, undefined, { ref: false });
    if (this.#attached.size > 0) await Promise.race([Promise.allSettled([...this.#attached.values()]), grace]);
    // A large backlog does not hold the report of the exit: readers wait for it themselves.
    if (((await fileSize(this.spoolPath)) ?? 0) < 1024 * 1024) await shipped;
  }

  protected override async upToDate(): Promise<void> {
    await this.#shipper.sync();
  }

  /** A log of whole lines is behind its process: from the log's end on the spool is read, and the shipper leaves it there meanwhile. */
  override async attachTo(query: AttachQuery, write: (piece: Buffer) => Promise<void>): Promise<void> {
    const follower = new Follower();
    const done = this.#copyAttached(follower, query, write).finally(() => this.#attached.delete(follower));
    this.#attached.set(follower, done);
    await done;
  }

  async #copyAttached(follower: Follower, query: AttachQuery, write: (piece: Buffer) => Promise<void>): Promise<void> {
    const run = this.#run;
    const { opened, pending, hold } = await this.#shipper.mark();
    const formatter = new LogFormatter({ ...query, timestamps: false, details: false }, '');
    const add = (record: LogRecord): void => {
      if (record.stream === 2 ? query.stderr : query.stdout) formatter.add(record, false);
    };
    const send = async (): Promise<void> => {
      const piece = formatter.take();
      if (piece.length > 0) await write(piece);
    };
    try {
      await this.copy({ ...query, follow: false }, formatter, write, opened);
      for (const record of pendingRecords(pending)) add(record);
      await send();
      const grows = (): boolean => this.#run === run && this.#endedRun !== run;
      for await (const scan of followSpool({ path: this.spoolPath, hold, follower, grows, signal: query.signal })) {
        scan(add);
        await send();
      }
    } finally {
      this.#shipper.release(hold);
    }
  }

  async sizeBytes(): Promise<number> {
    return this.store.file.sizeBytes();
  }

  async remove(): Promise<void> {
    this.store.running = false;
    this.#endedRun = this.#run;
    for (const follower of this.#attached.keys()) follower.notify();
    await this.#shipper.remove();
    this.store.changed();
    await this.store.file.remove();
    await rm(join(this.directory, 'log'), { recursive: true, force: true });
  }
}
