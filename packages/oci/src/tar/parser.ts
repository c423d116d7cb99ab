import { BLOCK, brokenArchive, isZeroBlock, paddingOf } from './block.ts';
import type { Extent, TarEntry } from './entry.ts';
import { parseHeader, type RawHeader, readSparseExtension } from './header.ts';
import { MAX_META_BYTES } from './limits.ts';
import { PendingMeta, type ResolvedEntry } from './meta.ts';
import { checkExtents, SparseLines } from './sparse.ts';

/** Receives what a `TarParser` finds: `entry`, then `data` any number of times, then `end`, for each member. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Bytes of the file from `position` on; holes are skipped. The chunk belongs to whoever pushed it: use it at once. */
  data(chunk: Buffer, position: number): void;
  end(): void;
}

type State = 'header' | 'meta' | 'sparse-extension' | 'sparse-lines' | 'data' | 'padding' | 'finished';

/**
 * Reads v7, ustar, PAX, GNU and star archives from chunks of any size, without copying file data.
 *
 * Invariants:
 * - every error is a `WharfError` of kind `data-loss` that names the byte; after one, the parser is not used again;
 * - memory is bounded by one header's meta data (`MAX_META_BYTES`), whatever the input;
 * - what follows the end marker is swallowed, as GNU tar and Go do.
 */
export class TarParser {
  readonly #sink: TarSink;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #offset = 0;
  #state: State = 'header';
  /** Bytes left in the current meta body, data or padding. */
  #left = 0;
  #meta = new PendingMeta();
  #metaFlag = '';
  #metaParts: Buffer[] = [];
  #metaBytes = 0;
  #raw: RawHeader | undefined;
  #current: ResolvedEntry | undefined;
  #sparseLines = new SparseLines();
  #extents: readonly Extent[] = [];
  #extentIndex = 0;
  /** Where the next data byte belongs: in the file, or for a sparse file within the current extent. */
  #position = 0;
  /** Bytes behind the first of the two blocks that an archive ends with. */
  #afterMarker = 0;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** True once the end marker was seen. */
  get isFinished(): boolean {
    return this.#state === 'finished';
  }

  /** Takes the next bytes. Throws `data-loss`, and whatever the sink throws. */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < chunk.length && this.#state !== 'finished') {
      const used = this.#step(chunk, at);
      at += used;
      this.#offset += used;
    }
    if (this.#state === 'finished') this.#afterMarker += chunk.length - at;
  }

  /**
   * To be called when the input is over. Throws `data-loss` when that was too early. An end in the padding of the last member is none,
   * as in Go: docker's CLI leaves padding and end marker out when a build's Dockerfile comes from its standard input. One in the marker is
   * one: the rest of a file that lost its end.
   */
  finish(): void {
    if (this.#state === 'finished' && this.#afterMarker > 0 && this.#afterMarker < BLOCK)
      throw brokenArchive('it is cut off in the middle of its end marker', this.#offset);
    if (this.#state === 'finished' || this.#state === 'padding') return;
    if (this.#state === 'header' && this.#filled === 0 && !this.#meta.isPending) return;
    const name = this.#current?.entry.name;
    const where = name === undefined ? 'a header' : `"${name}"`;
    throw brokenArchive(`it is cut off in the middle of ${where}`, this.#offset);
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'data':
        return this.#takeData(chunk, at);
      case 'padding':
        return this.#takePadding(chunk, at);
      case 'meta':
        return this.#takeMeta(chunk, at);
      default:
        return this.#takeBlock(chunk, at);
    }
  }

  /** Gathers one block, in place when the chunk holds it whole, and hands it on. */
  #takeBlock(chunk: Buffer, at: number): number {
    const available = chunk.length - at;
    if (this.#filled === 0 && available >= BLOCK) {
      this.#onBlock(chunk.subarray(at, at + BLOCK));
      return BLOCK;
    }
    const used = Math.min(BLOCK - this.#filled, available);
    chunk.copy(this.#block, this.#filled, at, at + used);
    this.#filled += used;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#onBlock(this.#block);
    }
    return used;
  }

  #onBlock(block: Buffer): void {
    if (this.#state === 'sparse-extension') this.#onSparseExtension(block);
    else if (this.#state === 'sparse-lines') this.#onSparseLines(block);
    else if (block[0] === 0 && isZeroBlock(block)) this.#state = 'finished';
    else this.#onHeader(parseHeader(block, this.#offset));
  }

  #onHeader(raw: RawHeader): void {
    this.#current = undefined;
    if ('xXgLK'.includes(raw.flag)) {
      if (raw.sizeBytes > MAX_META_BYTES) throw brokenArchive('an extended header is too long', this.#offset);
      this.#metaFlag = raw.flag;
      this.#metaParts = [];
      this.#metaBytes = raw.sizeBytes;
      this.#left = raw.sizeBytes + paddingOf(raw.sizeBytes);
      if (this.#left === 0) this.#endMeta();
      else this.#state = 'meta';
      return;
    }
    this.#raw = raw;
    if (raw.sparse?.extended) this.#state = 'sparse-extension';
    else this.#begin();
  }

  #takeMeta(chunk: Buffer, at: number): number {
    const used = Math.min(this.#left, chunk.length - at);
    this.#metaParts.push(Buffer.from(chunk.subarray(at, at + used)));
    this.#left -= used;
    if (this.#left === 0) this.#endMeta();
    return used;
  }

  #endMeta(): void {
    const body = Buffer.concat(this.#metaParts).toString('latin1', 0, this.#metaBytes);
    this.#metaParts = [];
    this.#state = 'header';
    this.#meta.take(this.#metaFlag, body, this.#offset);
  }

  #onSparseExtension(block: Buffer): void {
    const map = this.#raw?.sparse?.extents;
    if (!map) throw brokenArchive('a sparse map has no header', this.#offset);
    const { extents, extended } = readSparseExtension(block, this.#offset);
    map.push(...extents);
    if (map.length * 24 > MAX_META_BYTES) throw brokenArchive('the sparse map is too long', this.#offset);
    if (!extended) this.#begin();
  }

  #onSparseLines(block: Buffer): void {
    this.#left -= BLOCK;
    const extents = this.#sparseLines.add(block.toString('latin1', 0, BLOCK), this.#offset);
    if (extents) this.#announce(extents);
    else if (this.#left < BLOCK) throw brokenArchive('the sparse map is longer than the data', this.#offset);
  }

  #begin(): void {
    if (!this.#raw) throw brokenArchive('an entry has no header', this.#offset);
    const current = this.#meta.resolve(this.#raw, this.#offset);
    this.#raw = undefined;
    this.#current = current;
    this.#left = current.storedBytes;
    if (current.sparse === 'in-data') {
      if (current.storedBytes < BLOCK) throw brokenArchive('a sparse file has no map', this.#offset);
      this.#sparseLines = new SparseLines();
      this.#state = 'sparse-lines';
    } else {
      this.#announce(current.extents);
    }
  }

  #announce(extents: readonly Extent[]): void {
    const current = this.#current;
    if (!current) return;
    this.#extents = [];
    this.#extentIndex = 0;
    this.#position = 0;
    if (current.sparse === 'none') {
      this.#sink.entry(current.entry);
    } else {
      this.#extents = checkExtents(extents, current.entry.sizeBytes, this.#left, this.#offset);
      this.#sink.entry({ ...current.entry, extents: this.#extents });
    }
    this.#state = 'data';
    if (this.#left === 0) this.#endData();
  }

  #takeData(chunk: Buffer, at: number): number {
    const used = Math.min(this.#left, chunk.length - at);
    this.#left -= used;
    if (this.#current?.hasContent) {
      const piece = used === chunk.length && at === 0 ? chunk : chunk.subarray(at, at + used);
      if (this.#current.sparse === 'none') {
        this.#sink.data(piece, this.#position);
        this.#position += used;
      } else {
        this.#deliverSparse(piece);
      }
    }
    if (this.#left === 0) this.#endData();
    return used;
  }

  #deliverSparse(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const extent = this.#extents[this.#extentIndex];
      if (!extent) throw brokenArchive('a sparse file has more data than its map', this.#offset);
      const used = Math.min(extent.length - this.#position, piece.length - at);
      this.#sink.data(piece.subarray(at, at + used), extent.offset + this.#position);
      this.#position += used;
      at += used;
      if (this.#position === extent.length) {
        this.#extentIndex++;
        this.#position = 0;
      }
    }
  }

  #endData(): void {
    this.#sink.end();
    this.#left = paddingOf(this.#current?.storedBytes ?? 0);
    this.#state = this.#left === 0 ? 'header' : 'padding';
    if (this.#state === 'header') this.#current = undefined;
  }

  #takePadding(chunk: Buffer, at: number): number {
    const used = Math.min(this.#left, chunk.length - at);
    this.#left -= used;
    if (this.#left === 0) {
      this.#state = 'header';
      this.#current = undefined;
    }
    return used;
  }
}
