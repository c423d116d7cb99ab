import type { Clock } from '@wharf/kit';
import { ChunkReader, type ChunkSource } from './chunk-reader.ts';
import type { LogQuery } from './log-service.ts';
import { Follower, type LogStore, type OpenSegment, unpacked } from './log-store.ts';
import type { LogRecord } from './record.ts';
import { findTail, type TailStart } from './tail.ts';
import { TimeBound } from './times.ts';

/** Takes one record; `continued` tells that its line began with an earlier record. */
export type TakeRecord = (record: LogRecord, continued: boolean) => void;

/** Visits the records of one chunk that match the query. To be called once, at once. */
export type ScanChunk = (take: TakeRecord) => void;

/** What of the log is wanted, decided record by record. */
class Filter {
  readonly #query: LogQuery;
  readonly #since: TimeBound | undefined;
  readonly #until: TimeBound | undefined;
  readonly #skipBefore: readonly [number, number, number];
  /** Per stream: the last record was part of a line that goes on. */
  readonly #open: [boolean, boolean, boolean] = [false, false, false];
  /** Per stream: the line that goes on is not wanted. */
  readonly #unwanted: [boolean, boolean, boolean] = [false, false, false];
  /** A record after `until` was seen. */
  done = false;

  constructor(query: LogQuery, tail: TailStart | undefined) {
    this.#query = query;
    this.#since = query.sinceNs === undefined ? undefined : new TimeBound(query.sinceNs);
    this.#until = query.untilNs === undefined ? undefined : new TimeBound(query.untilNs);
    this.#skipBefore = tail?.skipBefore ?? [0, 0, 0];
  }

  /** Returns false when nothing after this record is wanted. */
  offer(record: LogRecord, position: number, take: TakeRecord): boolean {
    const { stream } = record;
    if (position < this.#skipBefore[stream]) return true;
    const continued = this.#open[stream];
    this.#open[stream] = !record.newline;
    if (continued) {
      if (!this.#unwanted[stream]) take(record, true);
      return true;
    }
    if (this.#until && this.#until.compare(record.time, record.timeStart, record.timeEnd) > 0) {
      this.done = true;
      return false;
    }
    const early = this.#since !== undefined && this.#since.compare(record.time, record.timeStart, record.timeEnd) < 0;
    const unwanted = early || !(stream === 2 ? this.#query.stderr : this.#query.stdout);
    this.#unwanted[stream] = unwanted;
    if (!unwanted) take(record, false);
    return true;
  }
}

/** What of the opened files is read, and from where. `owned` always holds the handles that are still to be closed. */
async function prepareSources(
  store: LogStore,
  opened: OpenSegment[],
  query: LogQuery,
  owned: Set<OpenSegment['handle']>,
): Promise<{ readonly sources: readonly ChunkSource[]; readonly tail: TailStart | undefined }> {
  let segments = opened;
  if (query.sinceNs !== undefined) segments = await dropOld(segments, query.sinceNs);
  const { tail: lines } = query;
  let tail: TailStart | undefined;
  if (lines !== undefined) {
    for (const [index, segment] of segments.entries()) {
      if (!segment.segment.compressed || lines <= 0) continue;
      owned.delete(segment.handle);
      const plain = await unpacked(segment);
      owned.add(plain.handle);
      segments[index] = plain;
    }
  }
  let base = 0;
  const files = segments.map((segment) => {
    const file = { ...segment, base };
    base += segment.sizeBytes;
    return file;
  });
  if (lines !== undefined) tail = await findTail(files, store.format, lines);
  const from = tail?.position ?? 0;
  const sources: ChunkSource[] = [];
  for (const [index, file] of files.entries()) {
    const active = index === files.length - 1 && file.segment.index === 0;
    if (!active && file.base + file.sizeBytes <= from) {
      await file.handle.close();
      continue;
    }
    sources.push({
      handle: file.handle,
      compressed: file.segment.compressed,
      offset: Math.max(file.firstByte, from - file.base),
      end: file.segment.compressed || (active && query.follow) ? undefined : file.sizeBytes,
      base: file.base,
    });
  }
  return { sources, tail };
}

/** Files last written before `sinceNs` hold nothing that is wanted. */
async function dropOld(opened: readonly OpenSegment[], sinceNs: bigint): Promise<OpenSegment[]> {
  const kept: OpenSegment[] = [];
  for (const segment of opened) {
    const old = BigInt(Math.ceil(segment.modifiedMs)) * 1_000_000n < sinceNs - 1_000_000_000n;
    if (old && segment.segment.index > 0) await segment.handle.close();
    else kept.push(segment);
  }
  return kept;
}

/** The longest time a timer takes; a later `until` never comes by time. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Aborts at a wall-clock time, for `--until` with `--follow`. */
function untilSignal(query: LogQuery, clock: Clock, done: AbortSignal): AbortSignal {
  if (query.untilNs === undefined) return query.signal;
  const stop = new AbortController();
  const ms = Number((query.untilNs - clock.nowNs()) / 1_000_000n) + 1;
  if (!query.follow || ms > MAX_TIMER_MS) return query.signal;
  clock.sleep(Math.max(0, ms), { signal: done }).then(
    () => stop.abort(),
    () => undefined,
  );
  return AbortSignal.any([query.signal, stop.signal]);
}

/**
 * Reads a log chunk by chunk; the loop is given back between chunks. With `follow` it goes on until the process has
 * ended and its last byte was read, `until` has passed, or the signal aborts; an abort ends it quietly. Files that were `given`
 * are read instead of those there now, and closed.
 */
export async function* readLog(
  store: LogStore,
  query: LogQuery,
  clock: Clock,
  given?: readonly OpenSegment[],
): AsyncGenerator<ScanChunk, void, void> {
  const follower = query.follow ? new Follower() : undefined;
  const over = new AbortController();
  const opened = given ? [...given] : await store.open(follower);
  const owned = new Set(opened.map(({ handle }) => handle));
  let reader: ChunkReader | undefined;
  try {
    const { sources, tail } = await prepareSources(store, opened, query, owned);
    owned.clear();
    reader = new ChunkReader(sources);
    const scanner = store.makeScanner();
    const filter = new Filter(query, tail);
    const stop = untilSignal(query, clock, over.signal);
    while (!query.signal.aborted && !filter.done) {
      const seen = follower?.version ?? 0;
      const mayGrow = follower !== undefined && store.running && !stop.aborted;
      for (const handle of follower?.newFiles.splice(0) ?? []) reader.add(endless(handle));
      const chunk = await reader.next();
      if (chunk) {
        const { data, position } = chunk;
        yield (take) => void scanner.scan(data, (record) => filter.offer(record, position + record.offset, take));
      } else if (mayGrow) {
        await follower.wait(seen, stop);
      } else if (!follower || follower.newFiles.length === 0) {
        break;
      }
    }
  } finally {
    over.abort();
    await reader?.close();
    for (const handle of owned) await handle.close().catch(() => undefined);
    if (follower) await store.leave(follower);
  }
}

function endless(handle: ChunkSource['handle']): ChunkSource {
  return { handle, compressed: false, offset: 0, end: undefined, base: Number.MAX_SAFE_INTEGER / 2 };
}
