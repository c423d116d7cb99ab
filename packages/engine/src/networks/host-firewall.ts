import type { Nft } from '@wharf/linux/nftables';

/** A rule set of somebody else that stops what this host passes on between other machines and containers. */
export interface ForwardBlock {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** What its owner is told to let the bridge through. */
  readonly hint: string;
}

/**
 * The chains of others that drop forwarded packets unless told otherwise. Their word stands whatever our table accepts: in
 * nftables a packet must pass every base chain of a hook, and their tables are not ours to change. Rules of the old
 * iptables-legacy are not seen here.
 */
export function forwardBlocks(nft: Nft): readonly ForwardBlock[] {
  const chains = nft.list('list chains').flatMap((object) => (object['chain'] as ForwardChain | undefined) ?? []);
  return chains.flatMap(({ family, table, name, hook, policy }) => {
    if (hook !== 'forward' || table.startsWith('wharf')) return [];
    // firewalld accepts by policy and rejects by its last rule.
    if (policy !== 'drop' && table !== 'firewalld') return [];
    return [{ family, table, chain: name, hint: hintFor(family, table, chains) }];
  });
}

/** libnftables-json(5), "CHAIN". */
interface ForwardChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

function hintFor(family: string, table: string, chains: readonly ForwardChain[]): string {
  if (table === 'firewalld')
    return 'firewall-cmd --permanent --zone=trusted --add-interface=BRIDGE; firewall-cmd --reload';
  const own = chains.filter((chain) => chain.family === family && chain.table === table).map(({ name }) => name);
  if (own.some((name) => name.startsWith('ufw'))) return 'ufw route allow in on BRIDGE; ufw route allow out on BRIDGE';
  if (table !== 'filter') return `let BRIDGE through in both directions in nftables table "${family} ${table}"`;
  const command = family === 'ip6' ? 'ip6tables' : 'iptables';
  const chain = own.includes('DOCKER-USER') ? 'DOCKER-USER' : 'FORWARD';
  return `${command} -I ${chain} -i BRIDGE -j ACCEPT; ${command} -I ${chain} -o BRIDGE -j ACCEPT`;
}
