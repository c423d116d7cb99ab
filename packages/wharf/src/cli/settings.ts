import { readFileSync, writeSync } from 'node:fs';
import { hasErrno, messageOf } from '@wharf/kit/errors';
import { findJsonFault } from '@wharf/wire/json-fault';

/** What commands read of the client's config.json; logins are read elsewhere. */
export interface ClientSettings {
  /** Sent with every request. */
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
  readonly pluginsFormat?: string;
  readonly pruneFilters?: readonly string[];
  /** What leaves a container when it is typed. */
  readonly detachKeys?: string;
  /** Proxies for containers, by the daemon's address or `default`. */
  readonly proxies?: Readonly<Record<string, ProxySettings>>;
}

/** Proxies of one daemon's containers. */
export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly ftpProxy?: string;
  readonly allProxy?: string;
}

const known = new Map<string, ClientSettings>();

/**
 * The client's config.json in its directory; nothing is set where there is none. What is no such file is complained of once, and then
 * counts as none: as docker's client has it, no command fails for it.
 */
export function readSettings(directory: string): ClientSettings {
  const read = known.get(directory) ?? readFile(`${directory}/config.json`);
  known.set(directory, read);
  return read;
}

function readFile(path: string): ClientSettings {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) warn(`Error loading config file: ${messageOf(error)}`);
    return {};
  }
  try {
    const read = text.trim() === '' ? {} : (JSON.parse(text) as unknown);
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read;
    const kind = Array.isArray(read) ? 'array' : typeof read;
    warn(
      `Error parsing config file (${path}): json: cannot unmarshal ${kind} into Go value of type configfile.ConfigFile`,
    );
  } catch {
    warn(`Error parsing config file (${path}): ${faultOf(text)}`);
  }
  return {};
}

function faultOf(text: string): string {
  const fault = findJsonFault(text);
  if (fault.kind === 'trailing') return 'something follows the document';
  return fault.message === 'unexpected end of JSON input' ? 'unexpected EOF' : fault.message;
}

function warn(text: string): void {
  writeSync(2, `WARNING: ${text}\n`);
}

/** The headers that the configuration and DOCKER_CUSTOM_HEADERS (`NAME=VALUE,…`) add to every request. */
export function requestHeaders(
  directory: string,
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const custom = (env['DOCKER_CUSTOM_HEADERS'] ?? '').split(',').flatMap((pair) => {
    const equals = pair.indexOf('=');
    return equals <= 0 ? [] : [[pair.slice(0, equals).trim(), pair.slice(equals + 1)] as const];
  });
  return { ...readSettings(directory).HttpHeaders, ...Object.fromEntries(custom) };
}
