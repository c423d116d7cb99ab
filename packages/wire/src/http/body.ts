import { Readable } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { parseJson } from '../json.ts';
import { findJsonFault } from '../json-fault.ts';
import type { RequestHead } from './head.ts';
import { HTTP_LIMITS } from './limits.ts';

/**
 * The body of one request. Nothing is taken from the connection before somebody reads: a handler that hijacks, or that
 * refuses without looking, finds the bytes where the client left them.
 */
export class RequestBody extends Readable {
  readonly #demand: () => void;
  #demanded = false;

  /** `demand` asks the connection for bytes; it answers with `push`. */
  constructor(demand: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#demand = demand;
    // A body nobody listens to may fail with its connection without ending the process.
    this.on('error', () => {});
  }

  /** True once somebody has read. */
  get demanded(): boolean {
    return this.#demanded;
  }

  override _read(): void {
    this.#demanded = true;
    this.#demand();
  }
}

function checkContentType(value: string | undefined): void {
  const type = value?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/json') return;
  const what = type === '' ? 'malformed Content-Type header ()' : `unsupported Content-Type header (${value})`;
  throw new WharfError(
    'invalid-argument',
    `${what}: ${type === '' ? 'mime: no media type' : "must be 'application/json'"}`,
  );
}

/**
 * Reads a JSON body. `undefined` without one. Throws `invalid-argument` in dockerd's words on bad JSON or a content type other than
 * JSON, `resource-exhausted` (413) beyond the limit, `deadline-exceeded` (408) when it does not arrive in time.
 */
export async function readJsonBody(head: RequestHead, body: RequestBody): Promise<unknown> {
  if (head.body.kind === 'none') {
    if (head.headers['content-type'] !== undefined) checkContentType(head.headers['content-type']);
    return undefined;
  }
  checkContentType(head.headers['content-type']);
  if (head.body.kind === 'length' && head.body.bytes > HTTP_LIMITS.jsonBodyBytes) throw tooLarge();
  const text = (await collect(body)).toString('utf8').trim();
  if (text === '') {
    throw new WharfError('invalid-argument', 'invalid JSON: got EOF while reading request body');
  }
  try {
    return parseJson(text);
  } catch (cause) {
    const fault = findJsonFault(text);
    if (fault.kind === 'syntax') throw new WharfError('invalid-argument', `invalid JSON: ${fault.message}`, { cause });
    // Go's decoder stops at the end of the first document, and takes a stray closing bracket for no further one.
    if (/^\s*[\]}]/.test(text.slice(fault.end))) return parseJson(text.slice(0, fault.end));
    throw new WharfError('invalid-argument', 'unexpected content after JSON', { cause });
  }
}

function tooMany(): WharfError {
  return new WharfError('unavailable', 'too many large requests at once: try again later');
}

function tooLarge(): WharfError {
  return new WharfError('resource-exhausted', `request body is larger than ${HTTP_LIMITS.jsonBodyBytes} bytes`, {
    code: 'body-too-large',
  });
}

/** Bytes of all JSON bodies that are being collected. */
let collecting = 0;

function collect(body: RequestBody): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (work: () => void): void => {
      clearTimeout(timer);
      collecting -= size;
      body.off('data', onData);
      body.off('end', onEnd);
      body.off('error', onError);
      body.pause();
      work();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      collecting += chunk.length;
      if (size > HTTP_LIMITS.jsonBodyBytes) settle(() => reject(tooLarge()));
      else if (collecting > HTTP_LIMITS.jsonBodiesBytes && size > HTTP_LIMITS.headBytes)
        settle(() => reject(tooMany()));
      else chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const onError = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(() => {
      settle(() =>
        reject(new WharfError('deadline-exceeded', 'request body did not arrive in time', { code: 'body-timeout' })),
      );
    }, HTTP_LIMITS.jsonBodyTimeoutMs);
    timer.unref();
    if (body.errored) {
      onError(body.errored);
      return;
    }
    body.on('data', onData);
    body.on('end', onEnd);
    body.on('error', onError);
  });
}
