import { randomBytes } from 'node:crypto';
import type { Store } from '@wharf/store';
import { formatSubnet, parseCidr } from './subnet.ts';

/** This daemon's own IPv6 prefix, `fdxx:xxxx:xxxx::/48`, made by chance once and kept (RFC 4193, 3.2). */
export function ulaPrefix(store: Store): string {
  const table = store.table<string>('network-settings');
  const known = table.get('ula-prefix');
  if (known !== undefined) return known;
  const words = randomBytes(5).toString('hex');
  const text = `fd${words.slice(0, 2)}:${words.slice(2, 6)}:${words.slice(6, 10)}::/48`;
  const parsed = parseCidr(text);
  const prefix = parsed ? formatSubnet(parsed.subnet) : text;
  table.put('ula-prefix', prefix);
  return prefix;
}
