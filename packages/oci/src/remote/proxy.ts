import { BlockList, isIP } from 'node:net';

export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  /** Hosts, domains (`.example.com`), addresses and networks reached directly, by commas; `*` for all. */
  readonly noProxy?: string | undefined;
}

/** The settings of the environment; small letters win, as in curl and Go. */
export function proxyOfEnvironment(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const read = (name: string) => env[name.toLowerCase()] || env[name] || undefined;
  return { httpProxy: read('HTTP_PROXY'), httpsProxy: read('HTTPS_PROXY'), noProxy: read('NO_PROXY') };
}

/** The proxy for a URL as Go chooses it: this machine is always reached directly. */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const proxy = url.protocol === 'https:' ? settings.httpsProxy : settings.httpProxy;
  if (proxy === undefined || proxy === '') return undefined;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return undefined;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  const entries = (settings.noProxy ?? '').split(',').map((entry) => entry.trim().toLowerCase());
  if (entries.some((entry) => isExcepted(entry, host, port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

function isExcepted(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isWithin(entry, host);
  const bare = isIP(entry) === 6 ? [entry, ''] : splitPort(entry);
  const [name = '', wantedPort = ''] = bare;
  if (wantedPort !== '' && wantedPort !== port) return false;
  const domain = name.replace(/^\*?\./, '');
  const exactToo = !name.startsWith('.') && !name.startsWith('*.');
  return (exactToo && host === domain) || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function splitPort(entry: string): readonly [string, string] {
  const match = /^(.*?)(?::(\d+))?$/.exec(entry);
  return [(match?.[1] ?? entry).replace(/^\[|\]$/g, ''), match?.[2] ?? ''];
}

function isWithin(network: string, host: string): boolean {
  const [address = '', prefix = ''] = network.split('/');
  const [kind, own] = [isIP(address), isIP(host)];
  if (kind === 0 || kind !== own || !/^\d+$/.test(prefix) || Number(prefix) > (kind === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, Number(prefix), family);
  return list.check(host, family);
}
