import type { Duplex } from 'node:stream';
import type { RequestBody } from './body.ts';
import type { RequestHead } from './head.ts';

/** What request and response objects need of the connection they live on. */
export interface Exchange {
  readonly head: RequestHead;
  readonly body: RequestBody;
  /** Headers of every reply, each line with its CRLF. */
  readonly baseHeaders: string;
  /** Queues bytes; false when the socket's buffer is full. */
  write(data: string | Uint8Array): boolean;
  cork(): void;
  uncork(): void;
  /** Calls back once more may be written, or at once when nothing is queued. */
  onDrain(callback: () => void): void;
  /** The answer is complete; the connection may serve the next request. */
  finish(): void;
  /** Sends what is queued and closes: the answer's end is the connection's end. */
  finishAndClose(): void;
  /** Breaks the connection off, so that a cut answer is seen as cut. */
  destroy(): void;
  /** Takes the socket out of HTTP, with every byte that was received and not consumed put back. */
  detach(): Duplex;
  /** False once the client can no longer be answered. */
  readonly writable: boolean;
  /** Calls back, once, when the connection is gone before the exchange is complete. */
  onGone(callback: (reason: Error) => void): void;
  /** As `onGone`, and also when the client has ended its side: dockerd takes that for leaving, except on hijacked streams. */
  onLeft(callback: (reason: Error) => void): void;
  /** True when the connection will serve another request after this one. */
  readonly keepAlive: boolean;
  /** The client's address; `undefined` on a unix socket. */
  readonly remoteAddress: string | undefined;
  /** The common name of the client's certificate, when it has one that the server's authorities vouch for. */
  readonly clientName: string | undefined;
  /** Makes this request the last of its connection. */
  dropKeepAlive(): void;
}
