import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';

/** An Engine API version, compared by its two numbers: `{ major: 1, minor: 44 }`. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** Query parameters with Docker's reading of them. */
export interface Query {
  /** The first value, or `undefined` when absent. */
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
  has(name: string): boolean;
  /** Docker's `BoolValue`: absent, empty, `0`, `no`, `false` and `none` (any case) are false; all else is true. */
  bool(name: string, whenAbsent?: boolean): boolean;
  /** A decimal integer; throws `invalid-argument` naming the parameter when it is none. */
  int(name: string): number | undefined;
  /**
   * Docker's `filters` JSON: `{"label":["a"]}` or the old `{"label":{"a":true}}`; an empty map when absent.
   * Throws `invalid-argument` on bad JSON.
   */
  filters(name?: string): ReadonlyMap<string, readonly string[]>;
}

export interface ApiRequest {
  readonly method: string;
  /** The path without the `/v1.xx` prefix. */
  readonly path: string;
  /** Decoded captures of the route's pattern. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly headers: IncomingHttpHeaders;
  readonly version: ApiVersion;
  /** True when the negotiated version is at least `1.minor`. */
  atLeast(minor: number): boolean;
  /** The raw body. */
  readonly body: Readable;
  /**
   * Reads and parses the JSON body (bounded, see limits.ts). Integers beyond 2^53 come as bigint. An absent body is `undefined`.
   * Throws `invalid-argument` on bad JSON or a wrong content type.
   */
  json(): Promise<unknown>;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** The connection after a hijack: raw bytes both ways, half-close kept apart from close. */
export interface HijackedConnection {
  /** Bytes from the client, body and upgrade head included; `end` is the client's half-close (stdin EOF). */
  readonly stream: Duplex;
  /** True when the request asked for `Upgrade: tcp` and was answered 101; false when answered 200. */
  readonly upgraded: boolean;
}

export interface ApiResponse {
  /** Sends a whole JSON answer with Content-Length. */
  json(status: number, body: unknown): void;
  /** Sends a status without body (204, 304 …). */
  empty(status: number): void;
  text(status: number, body: string, contentType?: string): void;
  setHeader(name: string, value: string): void;
  /**
   * Sends status and headers now (flushed to the client at once) and returns the sink for a chunked body.
   * Writing honours back-pressure; `end()` it when done.
   */
  stream(status: number, contentType: string): ResponseStream;
  /**
   * Takes the connection over for raw bytes (Docker's hijack): answers 101 or 200 by the request's headers, with
   * `contentType` (`application/vnd.docker.raw-stream` or `…multiplexed-stream`). Only on routes with `hijack: true`.
   */
  hijack(contentType: string): HijackedConnection;
  /**
   * Takes the connection over for another protocol (RFC 9110, 7.8): answers 101 with that name and hands over the bytes. Only on routes
   * with `hijack: true`. Throws `invalid-argument` when the client did not ask for it.
   */
  upgrade(protocol: string): Duplex;
  /** Accepts a WebSocket upgrade (RFC 6455) and returns it as a stream of binary messages. Only on routes with `websocket: true`. */
  websocket(): Promise<Duplex>;
  readonly headersSent: boolean;
}

export interface ResponseStream {
  /** Resolves when more may be written; rejects once the client is gone. */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Writes one JSON document and CRLF, Docker's progress framing. */
  json(document: unknown): Promise<void>;
  end(): void;
  /** The underlying writable, for `pipeline()`. */
  readonly writable: import('node:stream').Writable;
}

export type Handler = (request: ApiRequest, response: ApiResponse) => Promise<void> | void;

/**
 * One row of a route table. `pattern` is a path with captures: `{id}` matches one segment, `{name:.*}` any number of
 * them (image names hold slashes). The first row that matches method and path answers.
 */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';
  readonly pattern: string;
  readonly handler: Handler;
  readonly hijack?: true;
  readonly websocket?: true;
  /** The first API minor version that has it; older clients get 404 `page not found`. */
  readonly since?: number;
}
