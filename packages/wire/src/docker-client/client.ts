import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit/errors';
import { parseJson } from '../json.ts';
import { DaemonAnswer } from './answer.ts';
import { type Connection, ConnectionPool } from './connection.ts';
import { dial } from './dial.ts';
import { type Endpoint, type EndpointChoice, findEndpoint } from './endpoint.ts';
import { DaemonError } from './errors.ts';
import { type AnswerHead, type AnswerHeaders, bodyDecoder, readHead, sendRequest } from './exchange.ts';
import { jsonLines } from './json-lines.ts';
import { bodyOf, type DaemonCall, hostHeader, isStream, requestHead, targetOf } from './request.ts';

export type { DaemonAnswer } from './answer.ts';
export type { DaemonCall } from './request.ts';

/** The newest version of the Engine API that this client speaks: that of docker 28.2. */
export const CLIENT_API_VERSION = '1.50';

export interface DockerClientOptions {
  readonly endpoint: Endpoint;
  /** Sent with every request: `HttpHeaders` of the client's configuration. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly userAgent?: string;
  /** Spoken without asking what the daemon speaks (DOCKER_API_VERSION). */
  readonly apiVersion?: string | undefined;
}

/** What `/_ping` says of the daemon. */
export interface Ping {
  readonly apiVersion: string;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

export interface Hijacked {
  /** The connection's bytes from here on; `end()` closes our side only. */
  readonly stream: Duplex;
  readonly headers: AnswerHeaders;
}

interface Prepared extends DaemonCall {
  readonly method: string;
  readonly path: string;
  readonly upgrade?: string;
}

/**
 * A client of the Engine API for one daemon.
 *
 * - No round trip is spent on the version: requests say the newest one that this client knows, and a daemon that is older refuses them
 *   with the one to say. Only before a body that cannot be sent again the daemon is asked first.
 * - Connections are kept for the next request; none keeps the process alive while it waits.
 * - Methods throw `DaemonError` for an answer of 400 and above, `ConnectionError` in docker's words where nobody answers, and the
 *   signal's reason when it aborts.
 */
export class DockerClient {
  readonly endpoint: Endpoint;
  readonly #options: DockerClientOptions;
  readonly #pool: ConnectionPool;
  #version: string | undefined;

  constructor(options: DockerClientOptions) {
    this.#options = options;
    this.endpoint = options.endpoint;
    this.#pool = new ConnectionPool(options.endpoint);
    this.#version = options.apiVersion;
  }

  /** The client of the daemon that flags and environment lead to. */
  static find(choice: EndpointChoice = {}, options: Omit<DockerClientOptions, 'endpoint'> = {}): DockerClient {
    const apiVersion = options.apiVersion ?? (process.env['DOCKER_API_VERSION'] || undefined);
    return new DockerClient({ ...options, apiVersion, endpoint: findEndpoint(choice) });
  }

  /** The daemon's address. */
  get host(): string {
    return this.endpoint.host;
  }

  /** The whole answer, parsed; integers beyond 2^53 come as `bigint`. `undefined` for an answer without a body. */
  async json<T>(method: string, path: string, call: DaemonCall = {}): Promise<T> {
    const text = await this.text(method, path, call);
    return (text.trim() === '' ? undefined : parseJson(text)) as T;
  }

  /** The whole answer as it came. */
  async text(method: string, path: string, call: DaemonCall = {}): Promise<string> {
    return (await this.stream(method, path, call)).text();
  }

  /** Resolves at the head of the answer; its body comes as it is read. */
  async stream(method: string, path: string, call: DaemonCall = {}): Promise<DaemonAnswer> {
    const { answer } = await this.#send({ ...call, method, path });
    if (answer.status < 400) return answer;
    throw await errorOf(answer, this.#url({ ...call, path }));
  }

  /** The JSON documents of a stream as they come (events, progress of a pull). */
  async *messages<T>(method: string, path: string, call: DaemonCall = {}): AsyncGenerator<T, void, undefined> {
    const { body } = await this.stream(method, path, call);
    yield* jsonLines<T>(body);
  }

  /**
   * Takes a connection over: from the answer on it carries raw bytes both ways. A daemon that does not switch is a `DaemonError` with
   * docker's sentence, and what the daemon says as its hint. The signal counts until then.
   */
  async hijack(
    method: string,
    path: string,
    { protocol = 'tcp', ...call }: DaemonCall & { readonly protocol?: string } = {},
  ): Promise<Hijacked> {
    const { answer, connection } = await this.#send({ ...call, method, path, upgrade: protocol });
    if (answer.status === 101) return { stream: connection.source.detach(), headers: answer.headers };
    const message = `unable to upgrade to ${protocol}, received ${answer.status}`;
    const { daemonMessage } = await errorOf(answer, this.#url({ ...call, path }));
    throw new DaemonError(answer.status, daemonMessage, { message, hint: daemonMessage });
  }

  /** Asks the daemon what it is. The version is settled from then on. */
  async ping({ signal }: Pick<DaemonCall, 'signal'> = {}): Promise<Ping> {
    const { answer } = await this.#send({ signal, method: 'HEAD', path: '/_ping', versioned: false });
    if (answer.status >= 400 && answer.status !== 500)
      throw await errorOf(answer, this.#url({ path: '/_ping', versioned: false }));
    return {
      apiVersion: answer.headers['api-version'] ?? '',
      osType: answer.headers['ostype'] ?? '',
      experimental: answer.headers['docker-experimental'] === 'true',
      builderVersion: answer.headers['builder-version'] ?? '',
    };
  }

  /** The version spoken with the daemon: the older one of both. */
  async apiVersion(call: Pick<DaemonCall, 'signal'> = {}): Promise<string> {
    if (this.#version === undefined) await this.ping(call);
    return this.#version ?? CLIENT_API_VERSION;
  }

  /** A connection of its own on which nothing was said yet, for who speaks for another client. Throws when nobody is there. */
  async dial(): Promise<Duplex> {
    const { stream } = await dial(this.endpoint);
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        import('./explain-failure.ts').then(
          ({ explainFailure }) => reject(explainFailure(error, this.host, 'GET', '/')),
          reject,
        );
      };
      stream.once('error', fail);
      const ready = (): void => {
        stream.off('error', fail);
        resolve(stream);
      };
      if (this.host.startsWith('ssh:')) ready();
      else stream.once(this.endpoint.tls === undefined ? 'connect' : 'secureConnect', ready);
    });
  }

  /** Closes the connections that wait. */
  close(): void {
    this.#pool.close();
  }

  #url({ path, query, versioned = true }: Pick<Prepared, 'path' | 'query' | 'versioned'>): string {
    const prefix = versioned ? `/v${this.#version ?? CLIENT_API_VERSION}` : '';
    return targetOf(`${prefix}${path}`, query);
  }

  async #send(call: Prepared): Promise<Sent> {
    call.signal?.throwIfAborted();
    const canRepeat = !isStream(call.body);
    const isVersioned = call.versioned !== false;
    if (!canRepeat && isVersioned) await this.apiVersion(call);
    const asked = this.#version;
    const sent = await this.#sendOnce(call, await this.#pool.take(), canRepeat);
    if (isVersioned && asked === undefined && sent.answer.status === 400 && canRepeat) {
      const text = await sent.answer.text();
      const newest = /Maximum supported API version is (\d+\.\d+)/.exec(text)?.[1];
      if (newest === undefined) throw errorFrom(sent.answer, text, this.#url(call));
      this.#version = newest;
      return this.#sendOnce(call, await this.#pool.take(), canRepeat);
    }
    return sent;
  }

  async #sendOnce(call: Prepared, connection: Connection, canRepeat: boolean): Promise<Sent> {
    const { signal, method } = call;
    const abort = (): void => void connection.stream.destroy(new Error('aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    const over = (): void => signal?.removeEventListener('abort', abort);
    let isSent = false;
    try {
      const head = await this.#exchange(call, connection, () => (isSent = true));
      this.#learn(head);
      const end = {
        done: () => {
          over();
          if (head.status === 101) return;
          if (isSent && head.keepAlive) this.#pool.give(connection);
          else connection.stream.destroy();
        },
        failed: () => {
          over();
          connection.stream.destroy();
        },
        explain: (error: unknown) => (signal?.aborted === true ? signal.reason : causeOf(error)),
      };
      return { answer: new DaemonAnswer({ ...head, connection, decoder: bodyDecoder(method, head), end }), connection };
    } catch (error) {
      over();
      connection.stream.destroy();
      if (signal?.aborted === true) throw signal.reason;
      if (error instanceof BodyFailure) throw causeOf(error);
      // A kept connection may be closed by the daemon just as it is used again (RFC 9112, section 9.3.1).
      if (connection.isReused && canRepeat && (method === 'GET' || method === 'HEAD') && isLost(error)) {
        return this.#sendOnce(call, await this.#pool.take({ fresh: true }), false);
      }
      const { explainFailure } = await import('./explain-failure.ts');
      throw explainFailure(error, this.host, method, this.#url(call));
    }
  }

  async #exchange(call: Prepared, connection: Connection, sent: () => void): Promise<AnswerHead> {
    const { method, headers = {}, upgrade } = call;
    const { body, type } = bodyOf(call.body);
    const { headers: custom = {}, userAgent = 'Wharf-Client (linux)' } = this.#options;
    const always = { Host: hostHeader(this.endpoint), 'User-Agent': userAgent, 'Content-Type': type };
    const upgrading = upgrade === undefined ? {} : { Connection: 'Upgrade', Upgrade: upgrade };
    const head = requestHead({ method, target: this.#url(call), body, headers: [custom, always, headers, upgrading] });
    // A daemon may answer before it has read everything; what cannot be read for it ends the answer, too.
    sendRequest(connection, head, body).then(sent, (cause: unknown) => {
      connection.stream.destroy(new BodyFailure('the body cannot be read', { cause }));
    });
    return readHead(connection.source);
  }

  /** Every answer says what the daemon speaks. */
  #learn({ headers }: AnswerHead): void {
    const theirs = headers['api-version'];
    if (this.#version !== undefined || theirs === undefined || !/^\d+\.\d+$/.test(theirs)) return;
    this.#version = isOlder(theirs, CLIENT_API_VERSION) ? theirs : CLIENT_API_VERSION;
  }
}

/** What is to be sent cannot be read: the caller's own error is its cause. */
class BodyFailure extends Error {}

function causeOf(error: unknown): unknown {
  return error instanceof BodyFailure ? error.cause : error;
}

interface Sent {
  readonly answer: DaemonAnswer;
  readonly connection: Connection;
}

/** True where version `a` comes before `b`. */
export function isOlder(a: string, b: string): boolean {
  const [major = 0, minor = 0] = a.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = b.split('.').map(Number);
  return major - otherMajor < 0 || (major === otherMajor && minor < otherMinor);
}

function isLost(error: unknown): boolean {
  if (error instanceof WharfError) return error.code === 'no-answer';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

async function errorOf(answer: DaemonAnswer, url: string): Promise<DaemonError> {
  return errorFrom(answer, await answer.text().catch(() => ''), url);
}

/** An error document, a text, or nothing, as docker's client takes them. */
function errorFrom({ status, statusText, headers }: DaemonAnswer, text: string, url: string): DaemonError {
  if (text.trim() === '') {
    const said = `request returned ${statusText} for API route and version ${url}, check if the server supports the requested API version`;
    return new DaemonError(status, said, { message: said });
  }
  if (headers['content-type']?.startsWith('application/json') === true || text.startsWith('{')) {
    try {
      const { message } = JSON.parse(text) as { readonly message?: unknown };
      if (typeof message === 'string' && message !== '') return new DaemonError(status, message.trim());
      return new DaemonError(status, `API returned a ${statusText.replace(' ', ' (')}) but provided no error-message`);
    } catch {
      // A proxy's page, say: shown as it came.
    }
  }
  return new DaemonError(status, text.trim());
}
