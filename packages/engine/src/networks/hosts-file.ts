/** The text of a container's /etc/hosts. Pure. */

const BASE: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
];

export interface HostsEntry {
  readonly address: string;
  /** Separated by blanks. */
  readonly names: string;
}

/** The container's own lines last, as programs that rewrite the file expect. */
export function hostsFile(entries: readonly HostsEntry[]): string {
  const lines = [...BASE, ...entries.map(({ address, names }) => [address, names] as const)];
  return lines.map(([address, names]) => `${address}\t${names}\n`).join('');
}

/**
 * `--add-host` values, `name:address`; the address may be IPv6 in brackets or not, and `host-gateway` stands for `gateways`, a line each.
 * Those that are neither are left out: they were refused at create.
 */
export function extraHostEntries(extraHosts: readonly string[], gateways: readonly string[]): HostsEntry[] {
  const entries: HostsEntry[] = [];
  for (const extra of extraHosts) {
    const colon = extra.indexOf(':');
    if (colon < 1) continue;
    const value = extra.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
    for (const address of value === 'host-gateway' ? gateways : [value]) {
      if (address !== '') entries.push({ address, names: extra.slice(0, colon) });
    }
  }
  return entries;
}

/** The container's own name: `name.domain name`, or the name alone. The hostname may hold the domain. */
export function ownNames(hostname: string, domainname: string): string {
  const full = domainname === '' ? hostname : `${hostname}.${domainname}`;
  const [short = ''] = full.split('.', 1);
  return short === full || short === '' ? full : `${full} ${short}`;
}
