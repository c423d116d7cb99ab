import { type FileHandle, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import { type Chunk, ChunkReader } from './chunk-reader.ts';
import { CriScanner } from './cri.ts';
import type { JsonMessage } from './json-encode.ts';
import { CURSOR_INTERVAL_MS, FORWARD_MAX_BEHIND_FILES, FORWARD_RETRY_MS } from './limits.ts';
import { Follower, type LogStore } from './log-store.ts';
import { MessageJoiner, type PendingLine } from './message-joiner.ts';
import type { MonitorBrake } from './monitor-brake.ts';

/** Sends messages away: to a syslog server or journald. */
export interface MessageSink {
  /** Adds a message to those under way. The data is only valid during the call. */
  add(message: JsonMessage): void;
  /** Resolves when everything added was taken; rejects when the other side is not there, and forgets what was added. */
  flush(): Promise<void>;
  close(): void;
}

interface Cursor {
  readonly inode: number;
  readonly offset: number;
  readonly pending: readonly (PendingLine | null)[];
}

export interface SpoolForwarderOptions {
  readonly store: LogStore;
  readonly cursorPath: string;
  readonly sink: MessageSink;
  readonly log: Logger;
  /** Makes the process wait for a driver that is slow. */
  readonly brake: Pick<MonitorBrake, 'hold' | 'release'>;
  /** Messages may be lost rather than the process made to wait. */
  readonly mayDrop: boolean;
}

/**
 * Follows conmon's log and forwards it. A driver that is slow makes the process wait; one that is away, or any with
 * `mode=non-blocking`, loses the oldest messages once it is some files behind. After a crash the messages since the last saved
 * cursor (at most a second) are sent again.
 */
export class SpoolForwarder {
  readonly #options: SpoolForwarderOptions;
  readonly #joiner: MessageJoiner;
  readonly #stop = new AbortController();
  #loop: Promise<void> | undefined;
  #savedAt = 0;
  #warned = false;
  /** The other side is away. */
  #failing = false;
  /** Files were dropped before the next one. */
  #dropped = false;
  /** Those of the files read before which others were dropped. */
  readonly #afterGap = new Set<number>();

  constructor(options: SpoolForwarderOptions) {
    this.#options = options;
    this.#joiner = new MessageJoiner((message) => options.sink.add(message));
  }

  /** Starts unless it runs. It ends by itself when the store no longer runs and all is sent. */
  start(): void {
    this.#loop ??= this.#forward()
      .catch((error: unknown) => this.#options.log.error({ error: messageOf(error) }, 'Log was not forwarded'))
      .finally(() => {
        this.#loop = undefined;
      });
  }

  /** Resolves when the loop has ended, or after `ms`: an unreachable server must not hold the end of a container. */
  async drained(ms: number): Promise<void> {
    await Promise.race([this.#loop, sleep(ms, undefined, { ref: false })]);
  }

  async remove(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
    this.#options.sink.close();
    await rm(this.#options.cursorPath, { force: true });
  }

  async #forward(): Promise<void> {
    const { store, sink } = this.#options;
    const { signal } = this.#stop;
    const follower: Follower = new Follower(() => this.#balance(follower));
    const { reader, inodes } = await this.#openReader(follower);
    let done: Cursor | undefined;
    try {
      while (!signal.aborted) {
        const seen = follower.version;
        const { running } = store;
        // One at a time: those that wait tell how far behind we are.
        const next = reader.isAtLast ? follower.newFiles.shift() : undefined;
        if (next) {
          if (this.#dropped) this.#afterGap.add(inodes.length);
          this.#dropped = false;
          await addFile(reader, inodes, next);
        }
        const chunk = await reader.next();
        if (follower.newFiles.length === 0 && reader.isAtLast) this.#options.brake.release();
        if (chunk) {
          done = await this.#send(chunk, inodes);
          if (done && performance.now() - this.#savedAt >= CURSOR_INTERVAL_MS) await this.#save(done);
        } else if (running) {
          await follower.wait(seen, signal);
        } else if (follower.newFiles.length === 0) {
          this.#joiner.flush();
          await this.#flush(() => undefined);
          break;
        }
      }
    } finally {
      this.#options.brake.release();
      // First what cannot be done twice: on a full disk the cursor is not saved.
      sink.close();
      await reader.close();
      await store.leave(follower);
      if (done) await this.#save({ ...done, pending: this.#joiner.save() });
    }
  }

  /** Called with each notice: the files that wait must not become many. */
  #balance(follower: Follower): void {
    const { brake, mayDrop, log } = this.#options;
    if (follower.newFiles.length < FORWARD_MAX_BEHIND_FILES) return;
    if (!mayDrop && !this.#failing) {
      brake.hold();
      return;
    }
    const dropped = follower.newFiles.splice(0, follower.newFiles.length - FORWARD_MAX_BEHIND_FILES);
    if (dropped.length === 0) return;
    this.#dropped = true;
    log.warn({ files: dropped.length }, 'Messages were dropped: the log driver does not keep up');
    for (const handle of dropped)
      handle.close().catch((error: unknown) => log.warn({ error: messageOf(error) }, 'A log file was not closed'));
  }

  /** Sends a chunk, again and again while the other side is away. */
  async #send(chunk: Chunk, inodes: readonly number[]): Promise<Cursor> {
    // A line begun before a gap does not go on behind it.
    if (this.#afterGap.delete(Math.floor(chunk.position / FILE_SPAN))) this.#joiner.restore([]);
    const before = this.#joiner.save();
    const scanner = new CriScanner();
    const add = (): void => {
      scanner.scan(chunk.data, (record) => {
        this.#joiner.add(record);
        return true;
      });
    };
    add();
    await this.#flush(() => {
      this.#joiner.restore(before);
      add();
    });
    const end = chunk.position + chunk.data.length;
    const file = Math.floor(chunk.position / FILE_SPAN);
    return { inode: inodes[file] ?? 0, offset: end - file * FILE_SPAN, pending: this.#joiner.save() };
  }

  async #flush(again: () => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#options.sink.flush();
        this.#warned = false;
        this.#failing = false;
        return;
      } catch (error) {
        if (!this.#warned) this.#options.log.warn({ error: messageOf(error) }, 'Log driver does not take messages');
        this.#warned = true;
        // Who may never come back is not waited for.
        this.#failing = true;
        this.#options.brake.release();
        await sleep(FORWARD_RETRY_MS, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined);
        again();
      }
    }
  }

  /** Opens the files from the one the cursor names on; with none of them left, all there are. */
  async #openReader(follower: Follower): Promise<{ readonly reader: ChunkReader; readonly inodes: number[] }> {
    const cursor = await this.#readCursor();
    const opened = await this.#options.store.open(follower);
    const inodes: number[] = [];
    for (const { handle } of opened) inodes.push((await handle.stat()).ino);
    const at = cursor ? inodes.indexOf(cursor.inode) : -1;
    this.#joiner.restore(at >= 0 ? (cursor?.pending ?? []) : []);
    const sources = [];
    for (const [index, { handle, segment, firstByte }] of opened.entries()) {
      // Compressed files were complete before the cursor was saved.
      if (index < at || (cursor && segment.compressed)) await handle.close();
      else {
        const offset = Math.max(index === at ? (cursor?.offset ?? 0) : 0, firstByte);
        const last = index === opened.length - 1 && segment.index === 0;
        const end = last || segment.compressed ? undefined : Number.MAX_SAFE_INTEGER;
        sources.push({ handle, compressed: segment.compressed, offset, end, base: index * FILE_SPAN });
      }
    }
    return { reader: new ChunkReader(sources), inodes };
  }

  async #readCursor(): Promise<Cursor | undefined> {
    try {
      return JSON.parse(await readFile(this.#options.cursorPath, 'utf8')) as Cursor;
    } catch (error) {
      if (hasErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #save(cursor: Cursor): Promise<void> {
    this.#savedAt = performance.now();
    const temporary = `${this.#options.cursorPath}.tmp`;
    await writeFile(temporary, JSON.stringify(cursor), { mode: 0o600 });
    await rename(temporary, this.#options.cursorPath);
  }
}

/** Positions of the n-th file begin at n times this. */
const FILE_SPAN = 2 ** 42;

async function addFile(reader: ChunkReader, inodes: number[], handle: FileHandle): Promise<void> {
  // The reader owns it at once: it is closed whatever happens next.
  reader.add({ handle, compressed: false, offset: 0, end: undefined, base: inodes.length * FILE_SPAN });
  inodes.push((await handle.stat()).ino);
}
