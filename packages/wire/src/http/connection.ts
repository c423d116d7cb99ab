import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WharfError } from '@wharf/kit';
import { RequestBody } from './body.ts';
import { type BodyDecoder, ChunkedDecoder, LengthDecoder } from './body-decoder.ts';
import type { Exchange } from './exchange.ts';
import { parseHead, type RequestHead } from './head.ts';
import { HeadBuffer } from './head-buffer.ts';
import type { HttpLimits } from './limits.ts';
import { ServerExchange } from './server-exchange.ts';
import { answerFor, reasonPhrase } from './status.ts';

/** What the server decides about a request before its handler runs. */
export interface Plan {
  /** Leave everything behind the head unread: the handler may take the connection over. */
  readonly holdInput: boolean;
  run(): void;
}

/** The server, as its connections see it. */
export interface ConnectionHost {
  readonly baseHeaders: string;
  readonly limits: HttpLimits;
  plan(exchange: Exchange): Plan;
  /** The connection has left HTTP or is closed. */
  forget(connection: Connection): void;
}

type State = 'idle' | 'head' | 'answering' | 'draining' | 'closing' | 'detached' | 'closed';

/**
 * HTTP/1 on one socket: one request at a time, the next is not looked at before the answer is complete.
 *
 * - Between requests nothing is kept but the socket and this object.
 * - A body is read only as fast as its handler reads; without a body, or after it, reading goes on to see the client leave,
 *   except on routes that may hijack: there the FIN is the end of stdin and belongs to the stream.
 * - Bytes of later requests (pipelining) are put back into the socket, and it is paused, until their turn.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #headBuffer: HeadBuffer;
  #state: State = 'idle';
  /** When the state began, in milliseconds of `performance.now()`. */
  #since = performance.now();
  #exchange: ServerExchange | undefined;
  #decoder: BodyDecoder | undefined;
  #holdInput = false;
  #inputEnded = false;
  #drainedBytes = 0;
  #drainWaiters: (() => void)[] = [];

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.#headBuffer = new HeadBuffer(host.limits.headBytes);
    this.#listen();
  }

  get socket(): Socket {
    return this.#socket;
  }

  get isIdle(): boolean {
    return this.#state === 'idle';
  }

  get since(): number {
    return this.#since;
  }

  /** Closes the connection when it has been idle or sending a head for too long. */
  checkTimeouts(now: number): void {
    const { headTimeoutMs, idleTimeoutMs } = this.#host.limits;
    if (this.#state === 'head' && now - this.#since > headTimeoutMs)
      this.#refuse(408, 'request head did not arrive in time');
    else if (this.#state === 'draining' && now - this.#since > headTimeoutMs) this.#socket.destroy();
    else if (this.#state === 'idle' && now - this.#since > idleTimeoutMs) this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#consume(chunk);
    } catch (error) {
      this.#failInput(error);
    }
  };

  readonly #onEnd = (): void => {
    this.#inputEnded = true;
    if (this.#state === 'answering') {
      if (this.#decoder && !this.#decoder.done) {
        this.#exchange?.body.destroy(new WharfError('invalid-argument', 'unexpected end of the request body'));
      }
      // Where a hijack may follow, the FIN is the end of stdin and no more.
      if (!this.#holdInput) this.#exchange?.left(new WharfError('aborted', 'The client has left'));
    } else if (this.#state !== 'detached') {
      this.#socket.end();
    }
  };

  readonly #onClose = (): void => {
    if (this.#state === 'detached') return;
    this.#enter('closed');
    this.#host.forget(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    const reason = new WharfError('aborted', 'The client has gone');
    exchange?.body.destroy(this.#decoder && !this.#decoder.done ? reason : undefined);
    exchange?.gone(reason);
    this.#onDrain();
  };

  readonly #onDrain = (): void => {
    const waiters = this.#drainWaiters;
    if (waiters.length === 0) return;
    this.#drainWaiters = [];
    for (const waiter of waiters) waiter();
  };

  // A reset is seen as the close that follows it.
  readonly #onError = (): void => {};

  #listen(): void {
    this.#socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose);
    this.#socket.on('drain', this.#onDrain).on('error', this.#onError);
  }

  #enter(state: State): void {
    this.#state = state;
    this.#since = performance.now();
  }

  #consume(chunk: Buffer): void {
    if (this.#state === 'idle') this.#enter('head');
    if (this.#state === 'head') this.#readHead(chunk);
    else if (this.#state === 'draining') this.#drain(chunk);
    else if (this.#state === 'answering') {
      if (this.#decoder && !this.#decoder.done) this.#feedBody(chunk);
      else this.#hold(chunk);
    }
  }

  /**
   * Puts bytes back for later and stops reading. It must happen within the event that brought them: once the client's FIN has been
   * read with nothing buffered before it, Node lets nothing be put back.
   */
  #hold(chunk: Buffer): void {
    this.#socket.pause();
    if (chunk.length > 0) this.#socket.unshift(chunk);
  }

  #readHead(chunk: Buffer): void {
    const found = this.#headBuffer.push(chunk);
    if (!found) {
      // Only the empty lines that may come before a request.
      if (this.#headBuffer.isEmpty) this.#enter('idle');
      return;
    }
    const head = parseHead(found.text);
    this.#enter('answering');
    const exchange = this.#begin(head);
    const plan = this.#host.plan(exchange);
    this.#holdInput = plan.holdInput;
    if (found.rest.length > 0 || this.#decoder || plan.holdInput) this.#hold(found.rest);
    plan.run();
  }

  #begin(head: RequestHead): ServerExchange {
    this.#decoder = undefined;
    if (head.body.kind === 'length') this.#decoder = new LengthDecoder(head.body.bytes);
    else if (head.body.kind === 'chunked') this.#decoder = new ChunkedDecoder();
    const body = new RequestBody(() => this.#demandBody());
    const exchange = new ServerExchange({ head, body, baseHeaders: this.#host.baseHeaders, port: this });
    this.#exchange = exchange;
    return exchange;
  }

  #demandBody(): void {
    if (this.#state !== 'answering' || !this.#exchange) return;
    if (!this.#decoder) {
      this.#exchange.body.push(null);
      return;
    }
    if (this.#decoder.done) return;
    this.#exchange.continueBody();
    this.#socket.resume();
  }

  #feedBody(chunk: Buffer): void {
    const { body } = this.#exchange ?? {};
    const decoder = this.#decoder;
    if (!body || !decoder) return;
    let more = true;
    const used = decoder.push(chunk, (piece) => {
      if (!body.destroyed) more = body.push(piece);
    });
    if (decoder.done) {
      // What follows must be held before the handler hears of the end and, perhaps, hijacks.
      if (used < chunk.length || this.#holdInput) this.#hold(chunk.subarray(used));
      if (!body.destroyed) body.push(null);
    } else if (!more) {
      this.#socket.pause();
    }
  }

  #failInput(error: unknown): void {
    const { status, message } = answerFor(error);
    const exchange = this.#exchange;
    if (this.#state === 'answering' && exchange) {
      // The body is broken, so where it ends is not known: the handler hears of it and answers, then we close.
      exchange.dropKeepAlive();
      this.#decoder = undefined;
      this.#socket.pause();
      exchange.body.destroy(error instanceof Error ? error : new Error(message));
      return;
    }
    this.#refuse(status, message);
  }

  /** Answers bytes that are no request, and closes. */
  #refuse(status: number, message: string): void {
    const line = `${status} ${reasonPhrase(status)}`;
    const body = message.startsWith(reasonPhrase(status)) ? `${status} ${message}` : `${line}: ${message}`;
    this.#socket.write(
      `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Connection: close\r\n\r\n${body}`,
    );
    this.close();
  }

  // What follows is the side that exchanges use.

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }

  get clientName(): string | undefined {
    return 'authorized' in this.#socket ? clientNameOf(this.#socket as TLSSocket) : undefined;
  }

  get writable(): boolean {
    return this.#socket.writable && this.#state === 'answering';
  }

  write(data: string | Uint8Array): boolean {
    return this.#socket.write(data);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  onDrain(callback: () => void): void {
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) this.#drainWaiters.push(callback);
    else callback();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The answer is complete. */
  finish(exchange: ServerExchange): void {
    if (this.#exchange !== exchange || this.#state !== 'answering') return;
    this.#exchange = undefined;
    const decoder = this.#decoder;
    // A client that waits for "100 Continue" may send the body or not: the next bytes cannot be told apart.
    const unsure = decoder && !decoder.done && exchange.head.expectContinue && !exchange.continued;
    if (!exchange.keepAlive || this.#inputEnded || unsure) this.close();
    else if (decoder && !decoder.done) this.#startDrain();
    else this.#next();
  }

  #startDrain(): void {
    this.#enter('draining');
    this.#drainedBytes = 0;
    this.#socket.resume();
  }

  #drain(chunk: Buffer): void {
    const used = this.#decoder?.push(chunk, () => {}) ?? chunk.length;
    this.#drainedBytes += used;
    if (this.#decoder?.done) {
      if (used < chunk.length) this.#hold(chunk.subarray(used));
      this.#next();
    } else if (this.#drainedBytes > this.#host.limits.drainBytes) {
      this.close();
    }
  }

  /** A client that does not take its answers is not asked for more requests. */
  #next(): void {
    this.#decoder = undefined;
    this.#enter('idle');
    if (this.#socket.writableNeedDrain) {
      this.#socket.pause();
      this.onDrain(() => {
        if (this.#state === 'idle') this.#socket.resume();
      });
    } else this.#socket.resume();
  }

  /** Ends our side, and drops what the client still sends for a moment: closing at once would reset the answer away. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#enter('closing');
    this.#exchange = undefined;
    const timer = setTimeout(() => this.#socket.destroy(), this.#host.limits.lingerMs);
    timer.unref();
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.end();
    this.#socket.resume();
  }

  /** Takes the socket out of HTTP; unread body bytes and whatever followed are put back in front. */
  detach(exchange: ServerExchange): Socket {
    const socket = this.#socket;
    socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    this.#enter('detached');
    this.#exchange = undefined;
    this.#host.forget(this);
    const unread: Buffer | null = exchange.body.readableLength > 0 ? exchange.body.read() : null;
    if (unread && !socket.readableEnded) socket.unshift(unread);
    if (socket.readableEnded) endOnListen(socket);
    else startOnListen(socket);
    return socket;
  }
}

/** A stream that was paused does not start by itself when somebody listens; a fresh one does, and so shall this one. */
function startOnListen(socket: Socket): void {
  const start = (event: string | symbol): void => {
    if (event !== 'data') return;
    socket.off('newListener', start);
    socket.resume();
  };
  socket.on('newListener', start);
}

/** The FIN came before anybody could listen for it: who listens now is told as if it came now. */
function endOnListen(socket: Socket): void {
  const end = (event: string | symbol): void => {
    if (event !== 'end') return;
    socket.off('newListener', end);
    process.nextTick(() => socket.emit('end'));
  };
  socket.on('newListener', end);
}

const clientNames = new WeakMap<TLSSocket, string | false>();

/** Asked for with every request, and decoding a certificate takes long: once is enough. */
function clientNameOf(socket: TLSSocket): string | undefined {
  let name = clientNames.get(socket);
  if (name === undefined) {
    const subject = socket.authorized ? socket.getPeerCertificate().subject?.CN : undefined;
    name = (Array.isArray(subject) ? subject[0] : subject) ?? false;
    clientNames.set(socket, name);
  }
  return name === false ? undefined : name;
}
