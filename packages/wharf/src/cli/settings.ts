import { readFileSync } from 'node:fs';
import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';

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

/** The client's config.json in its directory; nothing is set where there is none. Throws `invalid-argument` for one that is no JSON. */
export function readSettings(directory: string): ClientSettings {
  const path = `${directory}/config.json`;
  try {
    const read = JSON.parse(readFileSync(path, 'utf8')) as unknown;
    return typeof read === 'object' && read !== null ? read : {};
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return {};
    throw new WharfError('invalid-argument', `Cannot read "${path}": ${messageOf(error)}`, {
      cause: error,
      hint: 'Mend the file, or set DOCKER_CONFIG to another directory.',
    });
  }
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
  return { ...readHeaders(directory), ...Object.fromEntries(custom) };
}

/** A file that is no JSON is complained of by whoever needs it. */
function readHeaders(directory: string): Readonly<Record<string, string>> {
  try {
    return readSettings(directory).HttpHeaders ?? {};
  } catch {
    return {};
  }
}
