import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf, WharfError } from '@wharf/kit';
import { parseJson, stringifyJson } from '../json.ts';
import { parseHostSpec } from './host-spec.ts';

/** The largest answer that is read whole. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface ClientCall {
  readonly method?: string;
  /** With version prefix and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is bytes. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parses `text`; unsafe integers are bigint. */
  json(): unknown;
}

/**
 * A small client for `unix://` and `tcp://` hosts without TLS. No method throws for an HTTP status; they throw `unavailable` when the
 * daemon cannot be reached.
 */
export class HttpClient {
  readonly #connect: RequestOptions;

  constructor(host: string) {
    const spec = parseHostSpec(host);
    if (spec.kind === 'fd') throw new WharfError('invalid-argument', `Cannot connect to "${host}"`);
    this.#connect = spec.kind === 'unix' ? { socketPath: spec.path } : { host: spec.host, port: spec.port };
  }

  /** Sends a request and reads the whole answer. */
  async request(call: ClientCall): Promise<ClientAnswer> {
    const response = await this.stream(call);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_ANSWER_BYTES) throw new WharfError('resource-exhausted', `Answer to ${call.path} is too large`);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: () => parseJson(text) };
  }

  /** Sends a request and resolves at the head of the answer; the answer's body is the returned stream. */
  stream(call: ClientCall): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = this.#open(call, {});
      request.on('response', resolve);
      request.on('error', (error) => reject(unreachable(error)));
    });
  }

  /** Asks for a raw stream by `Upgrade: tcp`. Throws `failed-precondition` with the daemon's sentence when it does not upgrade. */
  hijack(call: ClientCall): Promise<{ readonly stream: Duplex; readonly headers: IncomingHttpHeaders }> {
    return new Promise((resolve, reject) => {
      const request = this.#open(call, { connection: 'Upgrade', upgrade: 'tcp' });
      request.on('upgrade', (response, stream, head) => {
        if (head.length > 0) stream.unshift(head);
        resolve({ stream, headers: response.headers });
      });
      request.on('response', (response) => {
        response.resume();
        reject(new WharfError('failed-precondition', `${call.path} was answered ${response.statusCode}, not 101`));
      });
      request.on('error', (error) => reject(unreachable(error)));
    });
  }

  #open({ method = 'GET', path, headers = {}, body, signal }: ClientCall, more: Record<string, string>): ClientRequest {
    // `getBuiltinModule`: importing node:http from ESM loads all of undici, 35 ms of a short command.
    const http = process.getBuiltinModule('node:http');
    const payload = body === undefined || body instanceof Uint8Array ? body : Buffer.from(stringifyJson(body));
    const request = http.request({
      ...this.#connect,
      method,
      path,
      agent: false,
      headers: {
        host: 'localhost',
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
        ...more,
        ...headers,
      },
      ...(signal === undefined ? {} : { signal }),
    });
    request.end(payload);
    return request;
  }
}

function unreachable(error: unknown): WharfError {
  return new WharfError('unavailable', `Cannot reach the daemon: ${messageOf(error)}`, { cause: error });
}
