import { WharfError } from '@wharf/kit/errors';
import { type BodyDecoder, ChunkedDecoder, LengthDecoder } from '../http/body-decoder.ts';
import type { ByteSource } from './byte-source.ts';
import type { Connection } from './connection.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

export interface AnswerHead {
  readonly status: number;
  /** The status line's words: `404 Not Found`. */
  readonly statusText: string;
  readonly headers: AnswerHeaders;
  readonly keepAlive: boolean;
}

const TERMINATOR = '\r\n\r\n';

/** Writes the head of a request and its body; a body whose length is not known goes out in chunks. */
export async function sendRequest(
  { stream }: Connection,
  head: string,
  body: Uint8Array | AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  if (body === undefined) {
    stream.write(head, 'latin1');
    return;
  }
  stream.cork();
  stream.write(head, 'latin1');
  if (body instanceof Uint8Array) {
    stream.write(body);
    stream.uncork();
    return;
  }
  stream.uncork();
  for await (const piece of body) {
    if (piece.length === 0) continue;
    if (stream.destroyed) return;
    stream.cork();
    stream.write(`${piece.length.toString(16)}\r\n`, 'latin1');
    stream.write(piece);
    const roomy = stream.write('\r\n', 'latin1');
    stream.uncork();
    if (!roomy) await drained(stream);
  }
  stream.write('0\r\n\r\n', 'latin1');
}

function drained(stream: Connection['stream']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done).off('error', done);
      resolve();
    };
    stream.on('drain', done).on('close', done).on('error', done);
  });
}

/** Reads the head of an answer (RFC 9112, section 4). Throws `unavailable` where something else speaks there. */
export async function readHead(source: ByteSource): Promise<AnswerHead> {
  let bytes: Buffer | undefined;
  for (;;) {
    const chunk = await source.read();
    if (chunk === undefined) {
      const [text, code] = bytes === undefined ? ['EOF', 'no-answer'] : ['unexpected EOF', 'cut-off'];
      throw new WharfError('unavailable', text, { code });
    }
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    const end = bytes.indexOf(TERMINATOR);
    if (end < 0) {
      if (bytes.length > DOCKER_CLIENT_LIMITS.headBytes) throw noHttp('the head of the answer is too long');
      if (!'HTTP/1.'.startsWith(bytes.toString('latin1', 0, 7)))
        throw noHttp(JSON.stringify(bytes.toString('latin1', 0, 16)));
      continue;
    }
    source.unread(bytes.subarray(end + TERMINATOR.length));
    const head = parseHead(bytes.toString('latin1', 0, end));
    // Interim answers come before the one that counts (RFC 9110, section 15.2).
    if (head.status >= 200 || head.status === 101) return head;
    bytes = undefined;
  }
}

function parseHead(text: string): AnswerHead {
  const [start = '', ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(start);
  if (match === null) throw noHttp(JSON.stringify(start.slice(0, 64)));
  if (lines.length > DOCKER_CLIENT_LIMITS.headerCount) throw noHttp('too many headers');
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw noHttp(JSON.stringify(line.slice(0, 64)));
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const connection = headers['connection']?.toLowerCase() ?? '';
  const keepAlive = match[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  return { status: Number(match[2]), statusText: `${match[2]} ${match[3] ?? ''}`.trim(), headers, keepAlive };
}

function noHttp(what: string): WharfError {
  return new WharfError('unavailable', `net/http: malformed HTTP response ${what}`, { code: 'malformed' });
}

/** How an answer's body ends (RFC 9112, section 6.3): `none` is no body, `undefined` the end of the connection. */
export function bodyDecoder(method: string, { status, headers }: AnswerHead): BodyDecoder | 'none' | undefined {
  if (method === 'HEAD' || status === 204 || status === 304 || status === 101) return 'none';
  if (headers['transfer-encoding'] !== undefined) return new ChunkedDecoder();
  const length = headers['content-length'];
  if (length === undefined) return undefined;
  if (!/^\d{1,15}$/.test(length)) throw noHttp(`Content-Length ${length}`);
  return length === '0' ? 'none' : new LengthDecoder(Number(length));
}
