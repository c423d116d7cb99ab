import type { Duplex } from 'node:stream';
import { stringifyJson } from '../json.ts';
import type { Exchange } from './exchange.ts';
import { hijackConnection, upgradeConnection } from './hijack.ts';
import { httpDate } from './http-date.ts';
import { type BodyFraming, ServerResponseStream } from './response-stream.ts';
import type { ApiResponse, HijackedConnection, ResponseStream, Route } from './route.ts';
import { reasonPhrase } from './status.ts';

/** Small bodies leave in one string with their head; larger ones are written behind it. */
const INLINE_BODY_BYTES = 16 * 1024;

const NO_BODY = new Set([204, 304]);

/** One answer, as handlers see it. */
export class ServerResponse implements ApiResponse {
  readonly #exchange: Exchange;
  readonly #route: Route | undefined;
  #headers: Map<string, string> | undefined;
  #sent = false;
  #stream: ServerResponseStream | undefined;

  constructor(exchange: Exchange, route: Route | undefined) {
    this.#exchange = exchange;
    this.#route = route;
  }

  get headersSent(): boolean {
    return this.#sent;
  }

  /** True while a streamed body has begun and was not ended. */
  get isOpen(): boolean {
    return this.#stream !== undefined && !this.#stream.writable.writableEnded && !this.#stream.writable.destroyed;
  }

  setHeader(name: string, value: string): void {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new TypeError(`header ${name} has characters that no header may have`);
    this.#headers ??= new Map();
    this.#headers.set(name, value);
  }

  json(status: number, body: unknown): void {
    // Go's encoder ends each document with a newline.
    this.#whole(status, 'application/json', `${stringifyJson(body)}\n`);
  }

  text(status: number, body: string, contentType = 'text/plain; charset=utf-8'): void {
    this.#whole(status, contentType, body);
  }

  empty(status: number): void {
    this.#whole(status, undefined, '');
  }

  stream(status: number, contentType: string): ResponseStream {
    const { head } = this.#exchange;
    let framing: BodyFraming = 'chunked';
    if (head.method === 'HEAD') framing = 'none';
    else if (this.#has('content-length')) framing = 'length';
    else if (!head.http11) framing = 'close';
    if (framing === 'close') this.#exchange.dropKeepAlive();
    const transfer = framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : '';
    this.#exchange.write(this.#head(status, contentType, transfer));
    this.#stream = new ServerResponseStream(this.#exchange, framing);
    return this.#stream;
  }

  /**
   * Sends the head of an answer whose body has that length. The caller writes the body to the exchange, as far as there is one for the
   * method, and finishes the exchange.
   */
  begin(status: number, contentType: string, lengthBytes: number): void {
    this.#exchange.write(this.#head(status, contentType, `Content-Length: ${lengthBytes}\r\n`));
  }

  hijack(contentType: string): HijackedConnection {
    if (!this.#route?.hijack) throw new TypeError(`route ${this.#route?.pattern} is not declared with hijack`);
    this.#claim();
    return hijackConnection(this.#exchange, contentType);
  }

  upgrade(protocol: string): Duplex {
    if (!this.#route?.hijack) throw new TypeError(`route ${this.#route?.pattern} is not declared with hijack`);
    return upgradeConnection(this.#exchange, protocol, () => this.#claim());
  }

  async websocket(): Promise<Duplex> {
    if (!this.#route?.websocket) throw new TypeError(`route ${this.#route?.pattern} is not declared with websocket`);
    const { acceptWebSocket } = await import('./websocket.ts');
    return acceptWebSocket(this.#exchange, () => this.#claim());
  }

  #claim(): void {
    if (this.#sent) throw new TypeError('the answer has already begun');
    this.#sent = true;
  }

  #has(name: string): boolean {
    for (const key of this.#headers?.keys() ?? []) if (key.toLowerCase() === name) return true;
    return false;
  }

  #head(status: number, contentType: string | undefined, framing: string): string {
    this.#claim();
    const { baseHeaders, keepAlive, head } = this.#exchange;
    let out = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${baseHeaders}`;
    if (contentType !== undefined && !this.#has('content-type')) out += `Content-Type: ${contentType}\r\n`;
    for (const [name, value] of this.#headers ?? []) out += `${name}: ${value}\r\n`;
    out += `Date: ${httpDate()}\r\n${framing}`;
    if (!keepAlive) out += 'Connection: close\r\n';
    else if (!head.http11) out += 'Connection: keep-alive\r\n';
    return `${out}\r\n`;
  }

  #whole(status: number, contentType: string | undefined, body: string): void {
    const exchange = this.#exchange;
    const bodiless = NO_BODY.has(status);
    const size = Buffer.byteLength(body);
    const length = bodiless || this.#has('content-length') ? '' : `Content-Length: ${size}\r\n`;
    const head = this.#head(status, bodiless ? undefined : contentType, length);
    if (bodiless || size === 0 || exchange.head.method === 'HEAD') {
      exchange.write(head);
    } else if (size <= INLINE_BODY_BYTES) {
      exchange.write(head + body);
    } else {
      exchange.cork();
      exchange.write(head);
      exchange.write(body);
      exchange.uncork();
    }
    exchange.finish();
  }
}
