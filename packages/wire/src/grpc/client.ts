import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { FrameReader } from './framing.ts';
import { write, writeOut } from './server.ts';
import { detailsOf, GRPC, GrpcError, percentDecode } from './status.ts';

const WINDOW_BYTES = 4 * 1024 * 1024;
/** How much of a call is gathered before its reader takes it. */
const BATCH_BYTES = 512 * 1024;

export interface GrpcStream {
  /** What the peer sends; throws the call's status when that is not OK. */
  readonly messages: AsyncIterable<Buffer>;
  /** The same as the bytes come, for who cuts them into messages elsewhere (`FrameReader`); one of both can be read. */
  readonly chunks: AsyncIterable<Buffer>;
  send(bytes: Uint8Array): Promise<void>;
  /** As `send`, for a message behind its frame header (`writeFrameHeader`). Its memory can be used again when this resolves. */
  sendFramed(framed: Uint8Array): Promise<void>;
  /** No more will be sent. */
  end(): void;
  /** Gives the call up. */
  cancel(): void;
}

/** The calling side of gRPC on a connection that is there already. */
export class GrpcClient {
  readonly #session: ClientHttp2Session;
  readonly closed: Promise<void>;

  constructor(stream: Duplex) {
    this.#session = http2.connect('http://localhost', {
      createConnection: () => stream,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    this.closed = new Promise((resolve) => {
      this.#session.on('error', () => undefined);
      stream.on('error', () => undefined);
      this.#session.once('close', () => resolve());
      stream.once('end', () => this.#session.destroy());
      stream.once('close', () => {
        this.#session.destroy();
        resolve();
      });
    });
  }

  /** Sends one message and waits for the one that answers it. Throws GrpcError. */
  async unary(
    path: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<Buffer> {
    const call = this.open(path, metadata, signal);
    await call.send(bytes);
    call.end();
    let answer: Buffer | undefined;
    for await (const message of call.messages) answer ??= message;
    if (answer === undefined) throw new GrpcError(GRPC.INTERNAL, `"${path}" was answered without a message`);
    return answer;
  }

  /** Opens a stream both ways. Values in a list go out as header fields of their own. */
  open(path: string, metadata: Readonly<Record<string, string | readonly string[]>>, signal?: AbortSignal): GrpcStream {
    if (this.#session.destroyed || this.#session.closed) {
      throw new GrpcError(GRPC.UNAVAILABLE, 'the session of the client has ended');
    }
    const headers = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, encodeValue(value)]));
    const stream = this.#session.request(
      {
        ...{ ':method': 'POST', ':path': path, ':scheme': 'http', ':authority': 'localhost' },
        ...{ 'content-type': 'application/grpc', te: 'trailers', ...headers },
      },
      signal === undefined ? {} : { signal },
    );
    const status = statusOf(stream);
    return {
      messages: untilStatus(messagesIn(stream), status),
      chunks: untilStatus(batchesOf(stream), status),
      send: (bytes) => write(stream, bytes),
      sendFramed: (framed) => writeOut(stream, framed),
      end: () => stream.end(),
      cancel: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    };
  }

  close(): void {
    this.#session.close();
  }
}

function encodeValue(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

/** How the call ended: its trailers, or its headers where it had no message at all. */
function statusOf(stream: ClientHttp2Stream): Promise<GrpcError | undefined> {
  return new Promise((resolve) => {
    const take = (headers: Readonly<Record<string, unknown>>): void => {
      const status = headers['grpc-status'];
      if (typeof status !== 'string') return;
      const text = headers['grpc-message'];
      const message = percentDecode(typeof text === 'string' ? text : '');
      const details = detailsOf(headers['grpc-status-details-bin']);
      resolve(status === '0' ? undefined : new GrpcError(Number(status), message, { details }));
    };
    stream.once('response', take);
    stream.once('trailers', take);
    stream.on('error', (error) => resolve(new GrpcError(GRPC.UNAVAILABLE, error.message)));
    stream.once('close', () => resolve(new GrpcError(GRPC.UNAVAILABLE, 'the call was broken off')));
  });
}

/**
 * The messages, one by one. Not by the stream's own iterator, which gives up what a peer sent before the reading began when the peer
 * has reset the stream since, as Go's servers do with calls that they end first.
 */
async function* messagesIn(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  const reader = new FrameReader();
  for await (const batch of batchesOf(stream)) yield* reader.push(batch);
}

/**
 * What came since the last time, in one piece: frames of a peer are small, and there may be thousands. Taken as it flows, since a
 * paused stream gives out little more than a frame at a time; a slow reader holds the peer back all the same.
 */
async function* batchesOf(stream: ClientHttp2Stream): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let failure: Error | undefined;
  let hasEnded = false;
  let wake: () => void = () => undefined;
  stream.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes >= BATCH_BYTES) stream.pause();
    wake();
  });
  const end = (): void => {
    hasEnded = true;
    wake();
  };
  stream.once('end', end);
  stream.once('close', end);
  stream.on('error', (error) => {
    failure = error;
    wake();
  });
  for (;;) {
    // Lets the frames of one read from the socket come together.
    await new Promise((resolve) => setImmediate(resolve));
    if (waiting.length > 0) {
      const batch = waiting.length === 1 && waiting[0] !== undefined ? waiting[0] : Buffer.concat(waiting, bytes);
      waiting = [];
      bytes = 0;
      stream.resume();
      yield batch;
    } else if (failure !== undefined) throw failure;
    else if (hasEnded) return;
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

async function* untilStatus(
  parts: AsyncIterable<Buffer>,
  status: Promise<GrpcError | undefined>,
): AsyncGenerator<Buffer> {
  try {
    yield* parts;
  } catch (error) {
    throw (await status) ?? error;
  }
  const failure = await status;
  if (failure !== undefined) throw failure;
}
