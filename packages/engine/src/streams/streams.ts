import type { Duplex } from 'node:stream';
import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { SeqpacketClient } from '@wharf/linux/seqpacket';
import { Attachment } from './attachment.ts';
import { sendControl } from './control-fifo.ts';
import {
  CLIENT_HIGH_WATER_BYTES,
  CLIENT_LOW_WATER_BYTES,
  CLIENT_MAX_BYTES,
  DRAIN_GRACE_MS,
  MAX_CLIENTS,
} from './limits.ts';
import type { MonitorSocket } from './monitor-socket.ts';
import type { AttachEnd, AttachOptions, MonitorIo, ProcessStreams } from './process-streams.ts';
import { StdinQueue } from './stdin-queue.ts';

export interface ProcessStreamsOptions {
  readonly log: Logger;
  /**
   * Called when the process has written, at most once per turn of the event loop. conmon writes its log before it
   * writes here, so this is the notice that the log has grown (`ContainerLog.notify`).
   */
  readonly onOutput?: (bytes: number) => void;
  /** Clients see the end only at `close`: whoever sees it may ask how the process ended, and finds it booked. */
  readonly endsAtClose?: boolean;
  /** Opens the monitor's socket; for tests. */
  readonly openSocket?: (path: string) => MonitorSocket;
}

/** The streams of one process. See `ProcessStreams` for the life of the object. */
export function createProcessStreams(options: ProcessStreamsOptions): ProcessStreams {
  return new Streams(options);
}

/**
 * Invariants:
 * - the monitor's socket is read unless every client that wants output has its high-water mark waiting; conmon writes
 *   the log before it writes here, so what it has read from the process is logged even while it waits for us;
 * - after `processExited` it is read in any case: what remains is at most what pipes hold, and the monitor must be
 *   able to leave.
 */
class Streams implements ProcessStreams {
  readonly #log: Logger;
  readonly #onOutput: (bytes: number) => void;
  readonly #openSocket: (path: string) => MonitorSocket;
  readonly #attachments = new Set<Attachment>();
  readonly #drained = Promise.withResolvers<void>();
  /** Clients may be told of the end. */
  readonly #told = Promise.withResolvers<void>();
  readonly #endsAtClose: boolean;
  #socket: MonitorSocket | undefined;
  #stdin: StdinQueue | undefined;
  #io: MonitorIo | undefined;
  #size: { readonly height: number; readonly width: number } | undefined;
  #sizePending = false;
  #paused = false;
  #processExited = false;
  #ended = false;
  #flushing = false;
  #newBytes = 0;

  constructor(options: ProcessStreamsOptions) {
    this.#log = options.log;
    this.#onOutput = options.onOutput ?? (() => undefined);
    this.#endsAtClose = options.endsAtClose ?? false;
    this.#openSocket = options.openSocket ?? ((path) => SeqpacketClient.connect(path));
  }

  get connected(): boolean {
    return this.#socket !== undefined && !this.#ended;
  }

  get clientCount(): number {
    return this.#attachments.size;
  }

  get drained(): Promise<void> {
    return this.#drained.promise;
  }

  async connect(io: MonitorIo): Promise<void> {
    if (this.#ended || this.#socket) {
      throw new WharfError('failed-precondition', 'Cannot connect streams: they are already connected or closed');
    }
    const socket = io.socket ?? this.#openSocket(io.attachSocketPath);
    this.#io = io;
    this.#socket = socket;
    this.#stdin = new StdinQueue(socket);
    socket.onEnd(() => this.#monitorEnded());
    socket.onPacket((packet) => this.#packet(packet));
    if (io.stdin === 'ended') this.#stdin.end();
    for (const attachment of this.#attachments) attachment.connected(io, this.#stdin);
    if (this.#size) this.#applySize();
  }

  async attach(client: Duplex, options: AttachOptions): Promise<AttachEnd> {
    if (this.#attachments.size >= MAX_CLIENTS) {
      throw new WharfError('resource-exhausted', `Cannot attach: the process already has ${MAX_CLIENTS} clients`);
    }
    const attachment = new Attachment(client, options, {
      changed: () => this.#balance(),
      left: () => {
        this.#attachments.delete(attachment);
        this.#balance();
      },
    });
    this.#attachments.add(attachment);
    if (this.#ended) this.#tellEnd(attachment);
    else if (this.#io && this.#stdin) attachment.connected(this.#io, this.#stdin);
    return attachment.end;
  }

  resize(size: { readonly height: number; readonly width: number }): void {
    if (this.#ended) throw new WharfError('failed-precondition', 'Cannot resize the terminal: the process has ended');
    this.#size = size;
    if (this.#io) this.#applySize();
  }

  processExited(): void {
    this.#processExited = true;
    this.#balance();
  }

  close(): void {
    this.#told.resolve();
    if (!this.#ended) this.#monitorEnded();
  }

  /** Sizes that come while one is under way are joined: the last one counts. */
  #applySize(): void {
    const io = this.#io;
    if (!io?.terminal || this.#sizePending) return;
    this.#sizePending = true;
    const send = async (): Promise<void> => {
      for (let size = this.#size; size && !this.#ended; size = this.#size) {
        this.#size = undefined;
        await sendControl(io.controlFifoPath, `1 ${size.height} ${size.width}\n`);
      }
    };
    send()
      .catch((error: unknown) => this.#log.warn({ error: messageOf(error) }, 'Terminal was not resized'))
      .finally(() => {
        this.#sizePending = false;
      });
  }

  #packet(packet: Buffer): void {
    const stream = packet[0] === 3 ? 3 : 2;
    this.#newBytes += packet.length - 1;
    for (const attachment of this.#attachments) attachment.outlet.push(stream, packet, 1);
    if (!this.#flushing) {
      this.#flushing = true;
      setImmediate(() => this.#flush());
    }
    if (this.#attachments.size > 0) this.#balance();
  }

  #flush(): void {
    this.#flushing = false;
    for (const attachment of this.#attachments) attachment.outlet.flush();
    const bytes = this.#newBytes;
    this.#newBytes = 0;
    if (bytes > 0) this.#onOutput(bytes);
    this.#balance();
  }

  /** Pauses or resumes the monitor's socket by the fastest client, and cuts clients far behind it. */
  #balance(): void {
    const socket = this.#socket;
    if (!socket || this.#ended) return;
    let fastest = Number.POSITIVE_INFINITY;
    for (const { outlet } of this.#attachments) {
      if (outlet.wantsOutput) fastest = Math.min(fastest, outlet.pendingBytes);
    }
    if (fastest === Number.POSITIVE_INFINITY) fastest = 0;
    if (fastest < CLIENT_LOW_WATER_BYTES) this.#cutLaggards();
    const pause = !this.#processExited && fastest > (this.#paused ? CLIENT_LOW_WATER_BYTES : CLIENT_HIGH_WATER_BYTES);
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) socket.pause();
    else socket.resume();
  }

  #cutLaggards(): void {
    for (const attachment of this.#attachments) {
      if (attachment.outlet.pendingBytes > CLIENT_MAX_BYTES) attachment.cut();
    }
  }

  #monitorEnded(): void {
    if (this.#ended) return;
    this.#flush();
    this.#ended = true;
    this.#stdin?.close();
    this.#socket?.close();
    if (!this.#endsAtClose) this.#told.resolve();
    for (const attachment of this.#attachments) this.#tellEnd(attachment);
    this.#resolveDrained().catch((error: unknown) => {
      this.#log.error({ error: messageOf(error) }, 'Clients were not flushed');
    });
  }

  #tellEnd(attachment: Attachment): void {
    attachment.processEnded(this.#told.promise).catch((error: unknown) => {
      this.#log.error({ error: messageOf(error) }, 'A client was not told of the end');
    });
  }

  /** Waits for all clients while any of them makes progress within the grace. */
  async #resolveDrained(): Promise<void> {
    const all = Promise.all([...this.#attachments].map((attachment) => attachment.served));
    let pendingBefore = this.#pendingBytes();
    for (;;) {
      const { promise: grace, resolve } = Promise.withResolvers<'grace'>();
      const timer = setTimeout(() => resolve('grace'), DRAIN_GRACE_MS);
      const first = await Promise.race([all, grace]);
      clearTimeout(timer);
      const pending = this.#pendingBytes();
      if (first !== 'grace' || pending >= pendingBefore) break;
      pendingBefore = pending;
    }
    this.#drained.resolve();
  }

  #pendingBytes(): number {
    let sum = 0;
    for (const { outlet } of this.#attachments) sum += outlet.pendingBytes;
    return sum;
  }
}
