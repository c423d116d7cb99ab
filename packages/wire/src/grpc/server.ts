import type { OutgoingHttpHeaders } from 'node:http';
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import { FrameReader, frame } from './framing.ts';
import { errorTrailers, GRPC, GrpcError } from './status.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;
const MAX_STREAMS = 256;
const MAX_HEADER_BYTES = 8 * 1024 * 1024;

/** One call from a client. */
export interface GrpcCall {
  /** Metadata, lower case; the values of one name in order. */
  readonly metadata: ReadonlyMap<string, readonly string[]>;
  /** The messages the client sends, as they come; ends with the client's half-close. */
  readonly messages: AsyncIterable<Buffer>;
  /** Sends a message; resolves when more may follow. */
  send(bytes: Uint8Array): Promise<void>;
  /** Sends a message that stands behind the header it goes out with (`FRAME_HEADER_BYTES`), so that it need not be copied. */
  sendFramed(bytes: Uint8Array): Promise<void>;
  /** Aborts when the client gives the call up. */
  readonly signal: AbortSignal;
}

/** Answers one method: sends its messages and returns, or throws what becomes the call's status. */
export type GrpcHandler = (call: GrpcCall) => Promise<void>;

/** Methods by their path, `/package.Service/Method`. */
export type GrpcMethods = ReadonlyMap<string, GrpcHandler>;

export interface ServeGrpcOptions {
  /** Metadata that every answer begins with. */
  readonly headers?: () => Readonly<Record<string, string>>;
}

/**
 * Serves gRPC on a connection that speaks HTTP/2 from its first byte (grpc PROTOCOL-HTTP2.md). Resolves when the connection has
 * ended. A method that is not there is `UNIMPLEMENTED`.
 */
export function serveGrpc(stream: Duplex, methods: GrpcMethods, options: ServeGrpcOptions = {}): Promise<void> {
  const session: ServerHttp2Session = http2.performServerHandshake(stream, {
    settings: { initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: MAX_STREAMS },
    // The details of an error may hold a whole Dockerfile, and go out as a header.
    maxSendHeaderBlockLength: MAX_HEADER_BYTES,
  });
  session.on('stream', (call, headers, _flags, rawHeaders) => {
    const method = methods.get(String(headers[':path']));
    const response = { ...options.headers?.(), ':status': 200, 'content-type': 'application/grpc' };
    void answer(call, metadataOf(rawHeaders), { method, response });
  });
  return new Promise((resolve) => {
    // A peer that just goes away is no fault of ours.
    session.on('error', () => undefined);
    stream.on('error', () => undefined);
    session.once('close', () => resolve());
    // A connection that is half open serves nobody: a client that was killed must not leave its calls running.
    stream.once('end', () => session.destroy());
    stream.once('close', () => {
      session.destroy();
      resolve();
    });
  });
}

async function answer(
  stream: ServerHttp2Stream,
  metadata: ReadonlyMap<string, readonly string[]>,
  to: { readonly method: GrpcHandler | undefined; readonly response: OutgoingHttpHeaders },
): Promise<void> {
  stream.on('error', () => undefined);
  const gone = new AbortController();
  stream.once('close', () => gone.abort(new GrpcError(GRPC.CANCELLED, 'context canceled')));
  let trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' };
  stream.respond(to.response, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  try {
    if (to.method === undefined) throw new GrpcError(GRPC.UNIMPLEMENTED, 'unknown service or method');
    await to.method({
      metadata,
      messages: messagesOf(stream),
      signal: gone.signal,
      send: (bytes) => write(stream, bytes),
      sendFramed: (bytes) => writeFramed(stream, bytes),
    });
  } catch (error) {
    trailers = errorTrailers(error);
  }
  if (!stream.destroyed) stream.end();
}

/** Metadata of one name that comes several times must not be joined: values may hold commas. */
function metadataOf(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const metadata = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? '';
    const values = metadata.get(name) ?? [];
    values.push(rawHeaders[at + 1] ?? '');
    metadata.set(name, values);
  }
  return metadata;
}

/** The messages of a stream, one by one; reading slowly holds the peer back. */
export async function* messagesOf(stream: Readable): AsyncGenerator<Buffer> {
  const reader = new FrameReader();
  // Who wants only the first message has not given up the call.
  const chunks: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) yield* reader.push(chunk);
}

/** Writes a message; resolves when more may follow. */
export function write(stream: Duplex, bytes: Uint8Array): Promise<void> {
  return writeFramed(stream, frame(bytes));
}

/** Writes a framed message; resolves when its bytes have left. */
export function writeOut(stream: Duplex, framed: Uint8Array): Promise<void> {
  const ended = (): GrpcError => new GrpcError(GRPC.CANCELLED, 'the call has ended');
  if (stream.destroyed || stream.writableEnded) return Promise.reject(ended());
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(ended());
    stream.once('close', closed);
    stream.write(framed, (error) => {
      stream.off('close', closed);
      if (error) reject(ended());
      else resolve();
    });
  });
}

function writeFramed(stream: Duplex, framed: Uint8Array): Promise<void> {
  if (stream.destroyed || stream.writableEnded)
    return Promise.reject(new GrpcError(GRPC.CANCELLED, 'the call has ended'));
  if (stream.write(framed)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const drained = (): void => {
      stream.off('close', closed);
      resolve();
    };
    const closed = (): void => {
      stream.off('drain', drained);
      reject(new GrpcError(GRPC.CANCELLED, 'the call has ended'));
    };
    stream.once('drain', drained);
    stream.once('close', closed);
  });
}
