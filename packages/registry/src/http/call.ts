import type { IncomingHttpHeaders } from 'node:http';
import type { Exchange } from '@wharf/wire/http/exchange';
import { ServerResponse } from '@wharf/wire/http/response';
import type { Identity } from '../plug/access.ts';
import type { BlobSource } from '../storage/storage.ts';
import { sendBytes } from './send-bytes.ts';

const NO_QUERY = new URLSearchParams();

/** One request and its answer, as routes see it. */
export class Call {
  readonly method: string;
  readonly path: string;
  readonly exchange: Exchange;
  readonly remoteAddress: string;
  /** Who asks; set before a route sees the call. */
  identity: Identity;
  /** For the access log; 0 until answered. */
  status = 0;
  /** Bytes of the answer's body. */
  sentBytes = 0;
  readonly startedAt = performance.now();
  readonly #query: string;
  readonly #response: ServerResponse;
  #parsedQuery: URLSearchParams | undefined;

  constructor(options: {
    readonly exchange: Exchange;
    readonly path: string;
    readonly query: string;
    readonly remoteAddress: string;
    readonly identity: Identity;
  }) {
    const { exchange } = options;
    this.exchange = exchange;
    this.method = exchange.head.method;
    this.path = options.path;
    this.#query = options.query;
    this.remoteAddress = options.remoteAddress;
    this.identity = options.identity;
    this.#response = new ServerResponse(exchange, undefined);
  }

  get headers(): IncomingHttpHeaders {
    return this.exchange.head.headers;
  }

  /** One header as text; what may come several times is joined. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  get query(): URLSearchParams {
    this.#parsedQuery ??= this.#query === '' ? NO_QUERY : new URLSearchParams(this.#query);
    return this.#parsedQuery;
  }

  /** The length the client announced; `undefined` for a body in chunks. */
  get contentLength(): number | undefined {
    const { body } = this.exchange.head;
    if (body.kind === 'chunked') return undefined;
    return body.kind === 'length' ? body.bytes : 0;
  }

  get isAnswered(): boolean {
    return this.#response.headersSent;
  }

  setHeader(name: string, value: string): void {
    this.#response.setHeader(name, value);
  }

  setHeaders(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) this.#response.setHeader(name, value);
  }

  json(status: number, body: unknown, contentType?: string): void {
    this.text(status, `${JSON.stringify(body)}\n`, contentType ?? 'application/json');
  }

  text(status: number, body: string, contentType?: string): void {
    this.status = status;
    this.sentBytes = this.method === 'HEAD' ? 0 : Buffer.byteLength(body);
    this.#response.text(status, body, contentType);
  }

  empty(status: number): void {
    this.status = status;
    this.#response.empty(status);
  }

  /** Answers with the head alone, of a body that would have that length (HEAD). */
  head(status: number, contentType: string, lengthBytes: number): void {
    this.status = status;
    this.#response.begin(status, contentType, lengthBytes);
    this.exchange.finish();
  }

  /** Sends a small body that is in memory. */
  bytes(status: number, body: Buffer, contentType: string): void {
    if (this.method === 'HEAD') {
      this.head(status, contentType, body.length);
      return;
    }
    this.status = status;
    this.sentBytes = body.length;
    const { exchange } = this;
    exchange.cork();
    this.#response.begin(status, contentType, body.length);
    if (body.length > 0) exchange.write(body);
    exchange.uncork();
    exchange.finish();
  }

  /** Sends a blob or a part of it; resolves when the last byte is on its way. */
  async blob(status: number, options: { source: BlobSource; lengthBytes: number; contentType: string }): Promise<void> {
    this.status = status;
    this.#response.begin(status, options.contentType, options.lengthBytes);
    await sendBytes(this.exchange, options.source, options.lengthBytes, (bytes) => {
      this.sentBytes += bytes;
    });
    this.exchange.finish();
  }
}
