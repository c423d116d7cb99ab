import type { Duplex } from 'node:stream';
import { isGone } from './client-gone.ts';
import { ClientOutlet } from './client-outlet.ts';
import { DEFAULT_DETACH_KEYS, DetachMatcher, parseDetachKeys } from './detach-keys.ts';
import { HALF_CLOSED_CHECK_MS, STUCK_CLIENT_MS } from './limits.ts';
import type { AttachEnd, AttachOptions, MonitorIo } from './process-streams.ts';
import type { StdinQueue } from './stdin-queue.ts';

export interface AttachmentOwner {
  /** The client took bytes. */
  changed(): void;
  /** The attachment is over. */
  left(): void;
}

/**
 * One client of one process: its input, its detach keys, its output, and how it ends.
 *
 * - Input is not read before the process is there to take it.
 * - The end of the client's input closes stdin for good under `StdinOnce` without a terminal; otherwise it ends the
 *   attachment, as dockerd does.
 */
export class Attachment {
  readonly outlet: ClientOutlet;
  readonly end: Promise<AttachEnd>;
  /** Resolves once the client has all there will ever be, or is none any more. */
  readonly served: Promise<void>;
  readonly #client: Duplex;
  readonly #options: AttachOptions;
  readonly #owner: AttachmentOwner;
  readonly #settle: (end: AttachEnd) => void;
  readonly #settleServed: () => void;
  readonly #matcher: DetachMatcher;
  #io: MonitorIo | undefined;
  #stdin: StdinQueue | undefined;
  #over = false;
  #stuckTimer: NodeJS.Timeout | undefined;
  #goneTimer: NodeJS.Timeout | undefined;

  constructor(client: Duplex, options: AttachOptions, owner: AttachmentOwner) {
    this.#client = client;
    this.#options = options;
    this.#owner = owner;
    const { detachKeys } = options;
    this.#matcher = new DetachMatcher(detachKeys === undefined ? DEFAULT_DETACH_KEYS : parseDetachKeys(detachKeys));
    this.outlet = new ClientOutlet(client, options);
    const { promise, resolve } = Promise.withResolvers<AttachEnd>();
    this.end = promise;
    this.#settle = resolve;
    const served = Promise.withResolvers<void>();
    this.served = served.promise;
    this.#settleServed = served.resolve;
    client.on('error', () => this.#clientGone());
    client.on('close', () => this.#clientGone());
    client.on('drain', () => owner.changed());
    client.once('end', () => this.#watchHalfClosed());
    if (client.destroyed) queueMicrotask(() => this.#clientGone());
    // Without stdin the input is only read to learn of the end of the connection.
    else if (!options.stdin) client.resume();
  }

  /** The process is there: stdin may flow. */
  connected(io: MonitorIo, stdin: StdinQueue): void {
    if (this.#over) return;
    this.#io = io;
    if (!this.#options.stdin) return;
    if (io.stdin !== true) {
      this.#client.resume();
      return;
    }
    this.#stdin = stdin;
    this.#client.on('data', (chunk: Buffer | string) =>
      this.#input(typeof chunk === 'string' ? Buffer.from(chunk) : chunk),
    );
    this.#client.on('end', () => this.#inputEnded());
    if (this.#client.readableEnded) this.#inputEnded();
    this.#client.resume();
  }

  /** Nothing more will come from the process: flushes, and says so once `told` has resolved. */
  async processEnded(told: Promise<void>): Promise<void> {
    if (this.#over) return;
    this.#watchProgress();
    await this.outlet.sent();
    clearInterval(this.#stuckTimer);
    this.#settleServed();
    await told;
    if (this.#over) return;
    this.#watchProgress();
    await this.outlet.finish();
    this.#conclude('process-ended');
  }

  /** Drops a client that does not keep up. */
  cut(): void {
    this.#conclude('too-slow');
    this.outlet.cut();
  }

  #input(chunk: Uint8Array): void {
    if (this.#over || !this.#stdin) return;
    if (this.#io?.terminal !== true) {
      this.#forward(chunk);
      return;
    }
    const { forward, detached } = this.#matcher.scan(chunk);
    for (const piece of forward) this.#forward(piece);
    if (detached) this.#leave('detached');
  }

  #forward(piece: Uint8Array): void {
    const more = this.#stdin?.push(piece, () => {
      if (!this.#over) this.#client.resume();
    });
    if (more === false) this.#client.pause();
  }

  #inputEnded(): void {
    if (this.#over || !this.#stdin) return;
    const held = this.#matcher.end();
    if (held.length > 0) this.#forward(held);
    if (this.#io?.stdinOnce === true && !this.#io.terminal) this.#stdin.end();
    else this.#leave('client-left');
  }

  #clientGone(): void {
    if (this.#over) return;
    if (this.#io?.stdinOnce === true && !this.#io.terminal) this.#stdin?.end();
    this.#conclude('client-left');
  }

  /** Ends the attachment from our side while the process goes on. */
  #leave(end: AttachEnd): void {
    this.#conclude(end);
    void this.outlet.finish();
  }

  #conclude(end: AttachEnd): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#stuckTimer);
    clearInterval(this.#goneTimer);
    this.#settle(end);
    this.#settleServed();
    this.#owner.left();
  }

  /** The client has ended its side: it may still read, or be gone. */
  #watchHalfClosed(): void {
    if (this.#over) return;
    this.#goneTimer = setInterval(() => {
      if (isGone(this.#client)) this.#client.destroy();
    }, HALF_CLOSED_CHECK_MS);
    this.#goneTimer.unref();
  }

  /** After the end: a client that takes nothing for very long is cut. */
  #watchProgress(): void {
    let before = this.outlet.pendingBytes;
    this.#stuckTimer = setInterval(() => {
      const now = this.outlet.pendingBytes;
      if (now >= before) this.cut();
      before = now;
    }, STUCK_CLIENT_MS);
    this.#stuckTimer.unref();
  }
}
