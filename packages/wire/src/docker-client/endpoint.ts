import { existsSync } from 'node:fs';
import { WharfError } from '@wharf/kit/errors';
import { type ClientEnvironment, clientConfigDirectory } from './config-directory.ts';
import { readContextEndpoint } from './context-store.ts';
import { normalizeHost } from './host-address.ts';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';

/** A daemon as a client finds it. */
export interface Endpoint {
  /** `unix://…`, `tcp://…`, `ssh://…`. */
  readonly host: string;
  readonly tls?: EndpointTls;
}

/** PEM texts; `ca` absent: the machine's own authorities. */
export interface EndpointTls extends TlsFiles {
  readonly skipVerify: boolean;
}

/** What the command line says of the daemon. */
export interface EndpointChoice {
  /** `-H`. */
  readonly host?: string | undefined;
  /** `--context`. */
  readonly context?: string | undefined;
  /** `--tls`, `--tlsverify` and the files; absent: what the environment says. */
  readonly tls?: TlsChoice | undefined;
  /** What the client's configuration has as its current context; `undefined` reads it from there. */
  readonly currentContext?: string | undefined;
}

export interface TlsChoice {
  readonly tls?: boolean | undefined;
  readonly verify?: boolean | undefined;
  /** Paths. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** The name of the context that stands for flags, environment and the usual sockets. */
export const DEFAULT_CONTEXT = 'default';

const DEFAULT_SOCKETS = ['/run/wharf.sock', '/run/docker.sock', '/var/run/docker.sock'];

/** The name of the context in use, as docker chooses it; whether there is one of that name is not looked at. */
export function contextName(choice: EndpointChoice, env: ClientEnvironment = process.env): string {
  if (choice.context) return choice.context;
  if (choice.host || env['WHARF_HOST'] || env['DOCKER_HOST']) return DEFAULT_CONTEXT;
  return env['DOCKER_CONTEXT'] || (choice.currentContext ?? configuredContext(env)) || DEFAULT_CONTEXT;
}

/**
 * Where the daemon is: what was said on the command line, then WHARF_HOST, DOCKER_HOST, the chosen context (DOCKER_CONTEXT or the
 * client's configuration), and the first of the usual sockets that is there. Throws `invalid-argument` and `not-found`.
 */
export function findEndpoint(choice: EndpointChoice = {}, env: ClientEnvironment = process.env): Endpoint {
  if (choice.context && choice.host) {
    throw new WharfError('invalid-argument', 'conflicting options: cannot specify both --host and --context');
  }
  const name = contextName(choice, env);
  if (name === DEFAULT_CONTEXT) return defaultEndpoint(choice, env);
  const { host, tls, skipVerify } = readContextEndpoint(name, clientConfigDirectory(env));
  const isTls = Object.keys(tls).length > 0 || skipVerify;
  return isTls && !host.startsWith('unix:') ? { host, tls: { ...tls, skipVerify } } : { host };
}

/** The endpoint of the context `default`: flags, environment, usual sockets. */
export function defaultEndpoint(choice: EndpointChoice, env: ClientEnvironment = process.env): Endpoint {
  const given = choice.host || env['WHARF_HOST'] || env['DOCKER_HOST'];
  const verify = choice.tls?.verify ?? Boolean(env['DOCKER_TLS_VERIFY']);
  const asked = verify || choice.tls?.verify !== undefined || (choice.tls?.tls ?? Boolean(env['DOCKER_TLS']));
  const host = given ? normalizeHost(given) : usualHost(asked);
  if (!(asked && host.startsWith('tcp:')) && !host.startsWith('https:')) return { host };
  const files = readTlsFiles(env['DOCKER_CERT_PATH'] || clientConfigDirectory(env), choice.tls);
  return { host, tls: { ...files, skipVerify: !verify } };
}

function usualHost(tls: boolean): string {
  const socket = DEFAULT_SOCKETS.find((path) => existsSync(path));
  if (socket === undefined && tls) return 'tcp://localhost:2376';
  return `unix://${socket ?? DEFAULT_SOCKETS[0]}`;
}

function configuredContext(env: ClientEnvironment): string | undefined {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  try {
    const text = readFileSync(`${clientConfigDirectory(env)}/config.json`, 'utf8');
    const { currentContext } = JSON.parse(text) as { readonly currentContext?: unknown };
    return typeof currentContext === 'string' ? currentContext : undefined;
  } catch {
    // Whoever reads credentials from it complains of it; the daemon may be found without.
    return undefined;
  }
}
