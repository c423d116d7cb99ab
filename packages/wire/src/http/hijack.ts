import { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit';
import type { Exchange } from './exchange.ts';
import type { HijackedConnection } from './route.ts';

const RAW_STREAM = 'application/vnd.docker.raw-stream';

/**
 * Docker's hijack: answers with exactly dockerd's bytes, no `Date` and no `Api-Version`, and hands over the socket.
 *
 * - With an `Upgrade` header: 101 and the given content type. Without: 200, and dockerd always says raw-stream there.
 * - Bytes that followed the head, or the JSON body, are the first bytes of the stream.
 * - The client's FIN ends the readable side only; the writable side stays until it is ended or the client closes.
 */
export function hijackConnection(exchange: Exchange, contentType: string): HijackedConnection {
  const { head, body } = exchange;
  const upgraded = head.headers.upgrade !== undefined;
  // A chunked body that is read as standard input: a client that cannot upgrade (docker-modem with `openStdin`).
  if (!upgraded && head.body.kind === 'chunked' && !body.readableEnded) {
    exchange.write(`HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n\r\n`);
    return { stream: new ChunkedDuplex(exchange), upgraded: false };
  }
  const stream = exchange.detach();
  stream.write(
    upgraded
      ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`
      : `HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n\r\n`,
  );
  return { stream, upgraded };
}

/** Switches to a protocol the client named in `Upgrade` (RFC 9110, 7.8); `claim` marks the answer as begun. */
export function upgradeConnection(exchange: Exchange, protocol: string, claim: () => void): Duplex {
  const asked = exchange.head.headers.upgrade ?? '';
  if (asked.toLowerCase() !== protocol) {
    throw new WharfError(
      'invalid-argument',
      `Cannot switch protocols: "Upgrade: ${protocol}" is wanted, not "${asked}"`,
    );
  }
  claim();
  const stream = exchange.detach();
  stream.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
  return stream;
}

/** Reads the rest of a chunked request body, writes raw bytes. */
class ChunkedDuplex extends Duplex {
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    super({ allowHalfOpen: true });
    this.#exchange = exchange;
    const { body } = exchange;
    body.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) body.pause();
    });
    body.on('end', () => this.push(null));
    body.on('error', (error) => this.destroy(error));
    body.pause();
    exchange.onGone((reason) => this.destroy(reason));
  }

  override _read(): void {
    this.#exchange.body.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#exchange.write(chunk);
    this.#exchange.onDrain(callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#exchange.finishAndClose();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.writableFinished) this.#exchange.destroy();
    callback(error);
  }
}
