import { type FileHandle, open, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import { seekData } from '@wharf/linux/fsx';
import type { LogMark } from './attach-log.ts';
import type { Attributes } from './attributes.ts';
import { type Encoded, type EncodeTask, encodePending, encodeRecords } from './encode-records.ts';
import { JsonWriter } from './json-writer.ts';
import {
  CURSOR_INTERVAL_MS,
  MAX_RECORD_BYTES,
  SHIP_ASIDE_BYTES,
  SHIP_BACKLOG_BYTES,
  SHIP_CHUNK_BYTES,
  SHIP_DELAY_MS,
  SHIP_HOLD_BYTES,
  SHIP_PAUSE_MS,
} from './limits.ts';
import { LogMarkers } from './log-markers.ts';
import type { LogStore } from './log-store.ts';
import type { LogThread } from './log-thread.ts';
import type { PendingLine } from './message-joiner.ts';
import type { MonitorBrake } from './monitor-brake.ts';
import { readCursor, type ShipCursor, writeCursor } from './ship-cursor.ts';
import { fileSize } from './spool.ts';
import { type SpoolHold, SpoolSpace } from './spool-space.ts';

/** Most containers say little: the first read of a pass is small. */
const FIRST_CHUNK_BYTES = 16 * 1024;

export interface JsonShipperOptions {
  readonly spoolPath: string;
  readonly cursorPath: string;
  readonly store: LogStore;
  readonly attributes: Attributes;
  readonly log: Logger;
  /** Keeps the container from writing while too much waits. */
  readonly brake?: Pick<MonitorBrake, 'hold' | 'release'>;
  /** With too much waiting the oldest is dropped, and the container goes on. */
  readonly mayDrop?: boolean;
  /** Ships for containers that write a lot. */
  readonly thread?: Pick<LogThread, 'ship'>;
}

/**
 * Writes Docker's json-file from conmon's log (the spool), exactly once across a `kill -9` of the daemon.
 *
 * - The cursor names a position in the spool and the size of the output that belongs to it. On start the output is cut
 *   to that size and the spool read from that position.
 * - Spool behind a saved cursor is given back to the filesystem as holes; offsets stay what they are.
 * - One pass runs at a time. It is in no hurry unless somebody waits (`sync`, a follower, the end) or the spool has
 *   grown large: the streams of the process come first.
 */
export class JsonShipper {
  readonly #options: JsonShipperOptions;
  readonly #writer: JsonWriter;
  /** The lines that go on behind `#offset`. */
  #pending: readonly (PendingLine | null)[] = [];
  #buffer: Buffer | undefined;
  #spool: FileHandle | undefined;
  #offset = 0;
  #savedAt = 0;
  #dirty = false;
  #opened = false;
  #noticed = false;
  #ending = false;
  #removed = false;
  #urgent = 0;
  /** The spool has grown larger than it should. */
  #behind = false;
  /** There is so much to ship that it is done beside. */
  #aside = false;
  #timer: NodeJS.Timeout | undefined;
  #pass: Promise<void> | undefined;
  readonly #markers = new LogMarkers();
  readonly #space: SpoolSpace;
  readonly #waiters = new Set<{ readonly target: number; readonly resolve: () => void }>();
  #pauseOver: (() => void) | undefined;

  constructor(options: JsonShipperOptions) {
    this.#options = options;
    this.#writer = new JsonWriter(options.store);
    this.#space = new SpoolSpace(options.log);
  }

  /** The spool has grown: ship it soon. */
  notify(): void {
    if (this.#removed) return;
    this.#noticed = true;
    if (this.#pass || this.#timer) return;
    const delayMs = this.#options.store.followed ? 0 : SHIP_DELAY_MS;
    this.#timer = setTimeout(() => this.#background(), delayMs);
    this.#timer.unref();
  }

  /** Resolves when everything that is in the spool now has been shipped. */
  async sync(): Promise<void> {
    this.#urgent += 1;
    this.#pauseOver?.();
    const target = (await fileSize(this.#options.spoolPath)) ?? 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { target, resolve };
    this.#waiters.add(waiter);
    try {
      // A process that writes on and on must not keep us: the size of now is enough.
      await Promise.race([promise, this.#runTwice()]);
    } finally {
      this.#waiters.delete(waiter);
      this.#urgent -= 1;
    }
    if (!this.#options.store.running) await this.#rest();
  }

  /** The pass joined may have been at its last read when we came. */
  async #runTwice(): Promise<void> {
    await this.#run();
    await this.#run();
  }

  /**
   * Where the log ends and the spool goes on, taken when nothing is under way between them. Remove the hold with `release`.
   * The files opened are the caller's.
   */
  mark(): Promise<LogMark> {
    this.#pauseOver?.();
    return this.#markers.next(() => this.#runTwice());
  }

  release(hold: SpoolHold): void {
    this.#space.release(hold);
  }

  #giveMarks(): Promise<void> {
    return this.#markers.give(async () => {
      const opened = await this.#options.store.open();
      return { opened, pending: this.#pending, hold: this.#space.hold(this.#offset) };
    });
  }

  /** The process has ended: ship all, with the lines that did not end, and save the cursor. */
  async finish(): Promise<void> {
    this.#ending = true;
    this.#pauseOver?.();
    try {
      await this.#runTwice();
    } finally {
      this.#ending = false;
    }
    await this.#rest();
  }

  /** A stopped container holds no descriptors; the next pass opens the files again, by the cursor. */
  async #rest(): Promise<void> {
    if (!this.#removed && !this.#pass) await this.#close();
  }

  /** Stops and closes; nothing is shipped any more. */
  async remove(): Promise<void> {
    this.#removed = true;
    clearTimeout(this.#timer);
    this.#pauseOver?.();
    await this.#pass?.catch(() => undefined);
    await this.#close();
    await rm(this.#options.cursorPath, { force: true });
  }

  #background(): void {
    this.#timer = undefined;
    this.#run().catch((error: unknown) => {
      this.#options.log.error({ error: messageOf(error), path: this.#options.spoolPath }, 'Log was not shipped');
    });
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#removed) return Promise.resolve();
    this.#pass ??= this.#shipAll().finally(() => {
      this.#pass = undefined;
      if (this.#noticed) this.notify();
    });
    return this.#pass;
  }

  /** A pass that failed leaves nothing open: the next one begins at the cursor, as after a crash. */
  async #shipAll(): Promise<void> {
    try {
      await this.#shipToEnd();
    } catch (error) {
      await this.#close();
      throw error;
    }
  }

  async #shipToEnd(): Promise<void> {
    if (!this.#opened) await this.#open();
    this.#noticed = false;
    while (!this.#removed && (await this.#shipChunk())) {
      await this.#giveMarks();
      await this.#saveSometimes();
      if (!this.#hurried()) await this.#pause();
    }
    if (this.#removed) return;
    if (this.#ending) await this.#shipRest();
    await this.#giveMarks();
    this.#buffer = undefined;
    this.#aside = false;
  }

  #hurried(): boolean {
    const urgent = this.#urgent > 0 || this.#markers.waiting || this.#ending || this.#options.store.followed;
    return urgent || this.#behind || this.#aside;
  }

  async #pause(): Promise<void> {
    const pause = new AbortController();
    this.#pauseOver = () => pause.abort();
    await sleep(SHIP_PAUSE_MS, undefined, { signal: pause.signal, ref: false }).catch(() => undefined);
    this.#pauseOver = undefined;
  }

  /** Reads a piece of the spool and writes what it gives; false at the end of the spool. */
  async #shipChunk(): Promise<boolean> {
    const spool = this.#spool;
    if (!spool) return false;
    const more = this.#aside ? await this.#shipAside(spool) : await this.#shipHere(spool);
    const backlog = more ? (await spool.stat()).size - this.#offset : 0;
    this.#aside = this.#options.thread !== undefined && (backlog > SHIP_ASIDE_BYTES || (this.#aside && backlog > 0));
    this.#behind = backlog > SHIP_BACKLOG_BYTES;
    if (backlog > SHIP_HOLD_BYTES && this.#options.mayDrop === true) await this.#drop(backlog - SHIP_BACKLOG_BYTES);
    else if (backlog > SHIP_HOLD_BYTES) this.#options.brake?.hold();
    else if (!this.#behind) this.#options.brake?.release();
    return more;
  }

  /** Passes over so many bytes of the spool; the scanner begins with the next whole record. */
  async #drop(bytes: number): Promise<void> {
    const { log, store } = this.#options;
    log.warn({ path: store.file.path, bytes }, 'Output was dropped: the container writes more than can be logged');
    await this.#endLines();
    this.#offset += bytes;
    await this.#save();
  }

  async #shipHere(spool: FileHandle): Promise<boolean> {
    this.#buffer ??= Buffer.allocUnsafeSlow(FIRST_CHUNK_BYTES);
    const { bytesRead } = await spool.read(this.#buffer, 0, this.#buffer.length, this.#offset);
    const full = bytesRead === this.#buffer.length;
    let used = 0;
    while (used < bytesRead) {
      if (this.#writer.full) await this.#rotate();
      const encoded = encodeRecords({ ...this.#task(), data: this.#buffer.subarray(used, bytesRead) });
      if (encoded.used === 0 && encoded.bytes.length === 0) break;
      await this.#write(encoded.bytes);
      this.#advance(encoded);
      used += encoded.used;
    }
    if (full) this.#enlarge(used);
    return full || used > 0;
  }

  /** As `#shipHere`, by the thread. A record too large for its buffer is left to the one here. */
  async #shipAside(spool: FileHandle): Promise<boolean> {
    const { thread } = this.#options;
    if (this.#writer.full) await this.#rotate();
    const logFd = this.#writer.fd;
    if (!thread || logFd === undefined) return false;
    const shipped = await thread.ship({
      ...this.#task(),
      kind: 'ship',
      spoolFd: spool.fd,
      offset: this.#offset,
      lengthBytes: SHIP_ASIDE_BYTES,
      logFd,
      position: this.#writer.sizeBytes,
    });
    if (shipped.used === 0 && shipped.writtenBytes === 0) return this.#shipHere(spool);
    this.#dirty = true;
    this.#writer.advance(shipped.writtenBytes);
    this.#advance(shipped);
    this.#options.store.changed();
    return true;
  }

  #task(): Pick<EncodeTask, 'roomBytes' | 'pending' | 'attributes'> {
    return { roomBytes: this.#writer.roomBytes, pending: this.#pending, attributes: this.#options.attributes };
  }

  /** So much of the spool has become part of the log. */
  #advance(encoded: Pick<Encoded, 'used' | 'pending'>): void {
    this.#pending = encoded.pending;
    this.#offset += encoded.used;
    for (const waiter of this.#waiters) if (this.#offset >= waiter.target) waiter.resolve();
  }

  /** A full buffer: read more at a time. A record that does not fit is read with a larger one, or passed over. */
  #enlarge(used: number): void {
    const length = this.#buffer?.length ?? 0;
    if (used > 0 && length < SHIP_CHUNK_BYTES) this.#buffer = Buffer.allocUnsafeSlow(SHIP_CHUNK_BYTES);
    if (used > 0) return;
    if (length < MAX_RECORD_BYTES) this.#buffer = Buffer.allocUnsafeSlow(length * 4);
    else this.#offset += length;
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#dirty = true;
    if (bytes.length === 0) return;
    await this.#writer.write(bytes);
    this.#options.store.changed();
  }

  async #rotate(): Promise<void> {
    await this.#save();
    await this.#writer.rotate((error) => {
      this.#options.log.warn({ error: messageOf(error) }, 'Log was not compressed');
    });
    await this.#save();
  }

  /** The lines that never ended, and the cursor. */
  async #shipRest(): Promise<void> {
    await this.#endLines();
    await this.#save();
  }

  /** The lines under way will not be continued. */
  async #endLines(): Promise<void> {
    const bytes = encodePending({ pending: this.#pending, attributes: this.#options.attributes });
    await this.#write(bytes);
    this.#pending = [];
  }

  async #open(): Promise<void> {
    const { spoolPath } = this.#options;
    const cursor = await readCursor(this.#options.cursorPath, this.#options.log);
    await this.#options.store.file.cleanUp();
    try {
      this.#spool = await open(spoolPath, 'r+');
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return;
      throw error;
    }
    await this.#writer.open(cursor);
    const { size } = await this.#spool.stat();
    this.#offset = cursor && cursor.spoolOffset <= size ? cursor.spoolOffset : 0;
    this.#pending = cursor?.pending ?? [];
    await this.#passHole(size);
    this.#opened = true;
  }

  /** While no daemon ran, the oldest part of a spool that had grown large was given back. */
  async #passHole(size: number): Promise<void> {
    if (!this.#spool) return;
    const from = seekData(this.#spool.fd, this.#offset) ?? size;
    if (from <= this.#offset) return;
    const details = { path: this.#options.store.file.path, bytes: from - this.#offset };
    this.#options.log.warn(
      details,
      'The oldest output written while no daemon ran was dropped: there was too much of it',
    );
    await this.#endLines();
    this.#offset = from;
  }

  async #close(): Promise<void> {
    const spool = this.#spool;
    this.#options.brake?.release();
    // At once, so that a pass that begins meanwhile opens its own.
    this.#spool = undefined;
    this.#opened = false;
    this.#space.forget();
    await Promise.all([spool?.close(), this.#writer.close()]);
  }

  async #saveSometimes(): Promise<void> {
    if (!this.#dirty || performance.now() - this.#savedAt < CURSOR_INTERVAL_MS) return;
    await this.#save();
  }

  async #save(): Promise<void> {
    const cursor: ShipCursor = {
      spoolOffset: this.#offset,
      inode: this.#writer.inode,
      size: this.#writer.sizeBytes,
      pending: this.#pending,
    };
    const trim = this.#space.isDue(this.#offset);
    // What is given back can never be shipped again: its copy must be on disk.
    if (trim) await this.#writer.sync();
    await writeCursor(this.#options.cursorPath, cursor, { flush: trim });
    this.#savedAt = performance.now();
    this.#dirty = false;
    if (trim && this.#spool) this.#space.giveBack(this.#spool.fd, this.#offset);
  }
}
