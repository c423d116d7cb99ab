import { Writable } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { stringifyJson } from '../json.ts';
import type { Exchange } from './exchange.ts';
import type { ResponseStream } from './route.ts';

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** How a streamed body's end is told: by chunks, by a length sent before, or by the connection's end (HTTP/1.0). */
export type BodyFraming = 'chunked' | 'length' | 'close' | 'none';

/** The sink of one streamed body. Chunks queued together leave as one chunk, in one write. */
class BodySink extends Writable {
  readonly #exchange: Exchange;
  readonly #framing: BodyFraming;

  constructor(exchange: Exchange, framing: BodyFraming) {
    super({ highWaterMark: 64 * 1024, decodeStrings: true });
    this.#exchange = exchange;
    this.#framing = framing;
    this.on('error', () => {});
    exchange.onGone((reason) => this.destroy(reason));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send([chunk], chunk.length, callback);
  }

  override _writev(
    entries: readonly { readonly chunk: Buffer; readonly encoding: BufferEncoding }[],
    callback: (error?: Error | null) => void,
  ): void {
    const chunks = entries.map(({ chunk }) => chunk);
    this.#send(
      chunks,
      chunks.reduce((size, chunk) => size + chunk.length, 0),
      callback,
    );
  }

  #send(chunks: readonly Buffer[], size: number, callback: (error?: Error | null) => void): void {
    const exchange = this.#exchange;
    // An empty chunk would end the body.
    if (!exchange.writable || size === 0 || this.#framing === 'none') {
      callback(exchange.writable ? null : gone());
      return;
    }
    const chunked = this.#framing === 'chunked';
    exchange.cork();
    if (chunked) exchange.write(size.toString(16) + CRLF);
    for (const chunk of chunks) exchange.write(chunk);
    if (chunked) exchange.write(CRLF);
    exchange.uncork();
    exchange.onDrain(callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    if (this.#framing === 'chunked' && this.#exchange.writable) this.#exchange.write(LAST_CHUNK);
    if (this.#framing === 'close') this.#exchange.finishAndClose();
    else this.#exchange.finish();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // A body that was not ended is cut: the client must not take it for whole.
    if (!this.writableFinished && this.#exchange.writable) this.#exchange.destroy();
    callback(error);
  }
}

function gone(): WharfError {
  return new WharfError('aborted', 'Cannot send the answer: the client has gone');
}

const resolved = Promise.resolve();

/** The `ResponseStream` over one `BodySink`. */
export class ServerResponseStream implements ResponseStream {
  readonly writable: Writable;

  constructor(exchange: Exchange, framing: BodyFraming) {
    this.writable = new BodySink(exchange, framing);
  }

  write(chunk: Uint8Array | string): Promise<void> {
    const sink = this.writable;
    if (sink.destroyed) return Promise.reject(sink.errored ?? gone());
    if (sink.write(chunk)) return resolved;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        sink.off('drain', done);
        sink.off('close', closed);
        resolve();
      };
      const closed = (): void => {
        sink.off('drain', done);
        reject(sink.errored ?? gone());
      };
      sink.on('drain', done);
      sink.on('close', closed);
    });
  }

  json(document: unknown): Promise<void> {
    return this.write(`${stringifyJson(document)}\r\n`);
  }

  end(): void {
    if (!this.writable.destroyed) this.writable.end();
  }
}
