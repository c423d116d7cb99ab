import type { Duplex } from 'node:stream';
import type { RequestBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import type { RequestHead } from './head.ts';

/** The connection, as its exchanges see it. */
export interface ExchangePort {
  readonly writable: boolean;
  readonly remoteAddress: string | undefined;
  readonly clientName: string | undefined;
  write(data: string | Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  onDrain(callback: () => void): void;
  finish(exchange: ServerExchange): void;
  close(): void;
  destroy(): void;
  detach(exchange: ServerExchange): Duplex;
}

export interface ServerExchangeOptions {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly baseHeaders: string;
  readonly port: ExchangePort;
}

/** One request and its answer on a connection. Once over, it can do nothing to the connection any more. */
export class ServerExchange implements Exchange {
  readonly head: RequestHead;
  readonly body: RequestBody;
  readonly baseHeaders: string;
  readonly #port: ExchangePort;
  #over = false;
  #keepAlive: boolean;
  #continued = false;
  #answered = false;
  #onGone: ((reason: Error) => void)[] = [];
  #onLeft: ((reason: Error) => void)[] = [];
  #leftReason: Error | undefined;

  constructor({ head, body, baseHeaders, port }: ServerExchangeOptions) {
    this.head = head;
    this.body = body;
    this.baseHeaders = baseHeaders;
    this.#port = port;
    this.#keepAlive = head.keepAlive;
  }

  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /** True once the client was told to send the body it held back. */
  get continued(): boolean {
    return this.#continued;
  }

  get writable(): boolean {
    return !this.#over && this.#port.writable;
  }

  get remoteAddress(): string | undefined {
    return this.#port.remoteAddress;
  }

  get clientName(): string | undefined {
    return this.#port.clientName;
  }

  dropKeepAlive(): void {
    this.#keepAlive = false;
  }

  /** Answers `Expect: 100-continue` when the body is first read. */
  continueBody(): void {
    if (!this.head.expectContinue || this.#continued || this.#answered) return;
    this.#continued = true;
    this.#port.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  write(data: string | Uint8Array): boolean {
    if (!this.writable) return true;
    this.#answered = true;
    return this.#port.write(data);
  }

  cork(): void {
    if (this.writable) this.#port.cork();
  }

  uncork(): void {
    if (this.writable) this.#port.uncork();
  }

  onDrain(callback: () => void): void {
    if (this.writable) this.#port.onDrain(callback);
    else callback();
  }

  finish(): void {
    if (this.#end()) this.#port.finish(this);
  }

  finishAndClose(): void {
    if (this.#end()) this.#port.close();
  }

  destroy(): void {
    if (this.#end()) this.#port.destroy();
  }

  detach(): Duplex {
    this.#end();
    return this.#port.detach(this);
  }

  onGone(callback: (reason: Error) => void): void {
    if (!this.#over) this.#onGone.push(callback);
  }

  onLeft(callback: (reason: Error) => void): void {
    if (this.#leftReason) callback(this.#leftReason);
    else if (!this.#over) this.#onLeft.push(callback);
  }

  /** The client has ended its side. */
  left(reason: Error): void {
    this.#leftReason ??= reason;
    const callbacks = this.#onLeft;
    this.#onLeft = [];
    for (const callback of callbacks) callback(reason);
  }

  /** The connection is gone. */
  gone(reason: Error): void {
    const callbacks = this.#onGone;
    this.#end();
    for (const callback of callbacks) callback(reason);
    this.left(reason);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#onGone = [];
    return true;
  }
}
