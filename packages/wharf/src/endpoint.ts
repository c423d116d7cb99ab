import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { parseHostSpec } from '@wharf/wire/http/host-spec';
import { UPGRADE_TIMEOUT_MS } from './build/limits.ts';

/** A daemon as a client finds it. */
export interface Endpoint {
  /** `unix://…`, `tcp://…`. */
  readonly host: string;
  readonly tls?: EndpointTls;
}

/** PEM texts; `ca` absent: the machine's own authorities. */
interface EndpointTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly skipVerify: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MAX_MESSAGE_LENGTH = 4096;
const DEFAULT_SOCKETS = ['/run/wharf.sock', '/run/docker.sock', '/var/run/docker.sock'];

/**
 * Where the daemon is: what was said on the command line, then WHARF_HOST, DOCKER_HOST, the chosen context (DOCKER_CONTEXT or the
 * client's configuration), and the first of the usual sockets that is there.
 */
export function findEndpoint(given: { readonly host?: string | undefined }, env: Environment = process.env): Endpoint {
  const host = given.host || env['WHARF_HOST'] || env['DOCKER_HOST'];
  if (host) return withEnvironmentTls(host, env);
  const context = env['DOCKER_CONTEXT'] || currentContext(env);
  if (context !== undefined && context !== '' && context !== 'default') return contextEndpoint(context, env);
  const socket = DEFAULT_SOCKETS.find((path) => existsSync(path)) ?? DEFAULT_SOCKETS[0];
  return { host: `unix://${socket}` };
}

/** The directory of the client's configuration. */
export function clientConfigDirectory(env: Environment = process.env): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] ?? '/root', '.docker');
}

function withEnvironmentTls(host: string, env: Environment): Endpoint {
  const wanted =
    host.startsWith('https:') || (host.startsWith('tcp:') && (env['DOCKER_TLS_VERIFY'] || env['DOCKER_TLS']));
  if (!wanted) return { host };
  const directory = env['DOCKER_CERT_PATH'] || clientConfigDirectory(env);
  return { host, tls: { ...readTls(directory), skipVerify: !env['DOCKER_TLS_VERIFY'] } };
}

function currentContext(env: Environment): string | undefined {
  const text = readIfThere(join(clientConfigDirectory(env), 'config.json'))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    return (JSON.parse(text) as { readonly currentContext?: string }).currentContext;
  } catch {
    // Whoever reads credentials from it complains of it; the daemon may be found without.
    return undefined;
  }
}

function contextEndpoint(name: string, env: Environment): Endpoint {
  const id = createHash('sha256').update(name).digest('hex');
  const root = join(clientConfigDirectory(env), 'contexts');
  const text = readIfThere(join(root, 'meta', id, 'meta.json'));
  if (text === undefined) {
    throw new WharfError('not-found', `context "${name}": context not found`, {
      hint: `Unset DOCKER_CONTEXT, or say where the daemon is with -H.`,
    });
  }
  const meta = JSON.parse(text.toString('utf8')) as {
    readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
  };
  const { Host: host = '', SkipTLSVerify: skipVerify = false } = meta.Endpoints?.docker ?? {};
  if (host === '') throw new WharfError('invalid-argument', `context "${name}": no docker endpoint in it`);
  const tls = readTls(join(root, 'tls', id, 'docker'));
  return Object.keys(tls).length > 0 || skipVerify ? { host, tls: { ...tls, skipVerify } } : { host };
}

function readTls(directory: string): Omit<EndpointTls, 'skipVerify'> {
  const [ca, cert, key] = ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readIfThere(join(directory, name)));
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What node:http or node:https takes to reach the daemon. */
function dialOptions({ host, tls }: Endpoint): { readonly secure: boolean; readonly options: RequestOptions } {
  if (host.startsWith('ssh://')) {
    throw new WharfError('not-implemented', `Cannot connect to "${host}": ssh is not there yet`, {
      hint: 'Forward the socket: ssh -L /tmp/daemon.sock:/run/wharf.sock HOST, and use -H unix:///tmp/daemon.sock.',
    });
  }
  const spec = parseHostSpec(host, { tls: tls !== undefined });
  if (spec.kind === 'fd') throw new WharfError('invalid-argument', `Cannot connect to "${host}"`);
  if (spec.kind === 'unix') return { secure: false, options: { socketPath: spec.path } };
  const { skipVerify = false, ...files } = tls ?? {};
  const secure = tls === undefined ? {} : { ...files, rejectUnauthorized: !skipVerify };
  return { secure: tls !== undefined, options: { host: spec.host, port: spec.port, ...secure } };
}

export interface DaemonCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: AsyncIterable<Uint8Array> | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface DaemonAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Buffer>;
}

/** Sends a request; resolves at the head of the answer. Throws `unavailable` or `permission-denied` where nobody answers. */
export function call(endpoint: Endpoint, { body, ...wanted }: DaemonCall): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const request = open(endpoint, wanted, {});
    request.once('response', (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response as AsyncIterable<Buffer> });
    });
    request.on('error', (error) => reject(explain(endpoint, error)));
    if (body === undefined || body instanceof Uint8Array) request.end(body);
    else {
      const { pipeline, Readable } = process.getBuiltinModule('node:stream');
      pipeline(Readable.from(body, { objectMode: false }), request, (error) => {
        if (error) reject(explain(endpoint, error));
      });
    }
  });
}

/** Asks for a connection that speaks HTTP/2 from then on. Throws what the daemon says instead. */
export function upgrade(endpoint: Endpoint, wanted: DaemonCall): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const request = open(endpoint, wanted, { connection: 'Upgrade', upgrade: 'h2c' });
    request.setTimeout(UPGRADE_TIMEOUT_MS, () => request.destroy(new Error('it does not answer')));
    request.once('upgrade', (_response, socket, head) => {
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    request.once('response', (response) => {
      readMessage(response as AsyncIterable<Buffer>).then(
        (message) => {
          const said = `it answered ${wanted.path} with status ${response.statusCode}${message === '' ? '' : `: ${message}`}`;
          const why = response.statusCode === 404 ? 'it has no BuildKit' : said;
          reject(new WharfError('failed-precondition', `Cannot build with the daemon at ${endpoint.host}: ${why}`));
        },
        (error: unknown) => reject(explain(endpoint, error)),
      );
    });
    request.on('error', (error) => reject(explain(endpoint, error)));
    request.end();
  });
}

/** What an error document of the Engine API says, or the answer as it is; cut when it is long. */
async function readMessage(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString('utf8');
    if (text.length > MAX_MESSAGE_LENGTH) break;
  }
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text.trim().slice(0, MAX_MESSAGE_LENGTH);
  }
}

function open(endpoint: Endpoint, wanted: DaemonCall, more: Readonly<Record<string, string>>) {
  const { secure, options } = dialOptions(endpoint);
  // An ESM import of node:http loads fetch and WebSocket with it, which costs a short program 30 ms.
  const http = process.getBuiltinModule(secure ? 'node:https' : 'node:http');
  const { method = 'GET', path, headers = {}, signal } = wanted;
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerValue(value)]));
  return http.request({
    ...options,
    ...{ method, path, agent: false, headers: { host: 'localhost', ...more, ...sent } },
    ...(signal === undefined ? {} : { signal }),
  });
}

function headerValue(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

function explain({ host }: Endpoint, error: unknown): unknown {
  if (error instanceof WharfError || (error instanceof Error && error.name === 'AbortError')) return error;
  const at = `Cannot connect to the daemon at ${host}`;
  if (hasErrno(error, 'EACCES', 'EPERM')) {
    return new WharfError('permission-denied', `${at}: permission denied`, { cause: error, hint: 'Run as root.' });
  }
  if (hasErrno(error, 'ENOENT', 'ECONNREFUSED')) {
    const hint = 'Start it with bin/wharfd or npm start, or say where it is with -H or WHARF_HOST.';
    return new WharfError('unavailable', `${at}: is it running?`, { cause: error, hint });
  }
  return new WharfError('unavailable', `${at}: ${messageOf(error)}`, { cause: error });
}
