import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

/** What dockerd always takes for insecure: this machine. */
const ALWAYS = ['::1/128', '127.0.0.0/8'];

/**
 * True when the operator has named the registry (`host`, `host:port`, or a network in CIDR form) as one that may be spoken to without
 * TLS, or with certificates of unknown authorities. A name counts by its addresses where networks are listed, as dockerd does.
 */
export async function isInsecure(host: string, listed: readonly string[]): Promise<boolean> {
  const plain = listed.map((entry) => entry.replace(/^https?:\/\//i, ''));
  if (plain.includes(host)) return true;
  const networks = new BlockList();
  for (const entry of [...ALWAYS, ...plain]) addNetwork(networks, entry);
  const name = hostnameOf(host);
  const kind = isIP(name);
  if (kind !== 0) return networks.check(name, kind === 4 ? 'ipv4' : 'ipv6');
  try {
    const addresses = await lookup(name, { all: true });
    return addresses.some(({ address, family }) => networks.check(address, family === 4 ? 'ipv4' : 'ipv6'));
  } catch {
    // A name that leads nowhere fails again, with a better message, when it is called.
    return false;
  }
}

/** The name or address of `host[:port]`, IPv6 without its brackets. */
export function hostnameOf(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

function addNetwork(networks: BlockList, entry: string): void {
  const [address = '', prefix = ''] = entry.split('/');
  const kind = isIP(address);
  if (kind === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (kind === 4 ? 32 : 128)) return;
  networks.addSubnet(address, Number(prefix), kind === 4 ? 'ipv4' : 'ipv6');
}
