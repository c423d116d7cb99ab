import type { ClientSettings, ProxySettings } from '../../cli/settings.ts';
import type { Proxies } from './wish.ts';

const NAMES: readonly (readonly [keyof ProxySettings, string])[] = [
  ['httpProxy', 'HTTP_PROXY'],
  ['httpsProxy', 'HTTPS_PROXY'],
  ['noProxy', 'NO_PROXY'],
  ['ftpProxy', 'FTP_PROXY'],
  ['allProxy', 'ALL_PROXY'],
];

/** The proxies that the client's configuration has for containers of a daemon. */
export function proxiesFor({ proxies }: ClientSettings, daemon: string): Proxies {
  const settings = proxies?.[daemon] ?? proxies?.['default'] ?? {};
  return Object.fromEntries(NAMES.flatMap(([key, name]) => (settings[key] ? [[name, settings[key]]] : [])));
}
