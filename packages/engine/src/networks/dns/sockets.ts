import { closeSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { boundPort, openBoundSocket } from '@wharf/linux/inet';
import { Nft, NftError } from '@wharf/linux/nftables';
import { DNS_RECEIVE_BYTES } from '../limits.ts';

/** Where containers of bridge networks find DNS, as with Docker. */
export const DNS_ADDRESS = '127.0.0.11';

export interface DnsSockets {
  readonly udpFd: number;
  readonly tcpFd: number;
}

interface Ports {
  readonly udp: number;
  readonly tcp: number;
}

/**
 * Opens a resolver's sockets in the current network namespace, with the rules that lead to them. Where an earlier daemon has
 * left rules, its ports are used again: the rules need no change then, and deleting them would cost 20 ms (closing an
 * nftables session waits until what it deleted is freed).
 */
export function openSockets(fresh: boolean): DnsSockets {
  using nft = new Nft();
  const left = fresh ? undefined : portsInForce(nft);
  if (left) {
    try {
      return bindBoth(left);
    } catch (error) {
      // A program in the container has one of them by now.
      if (!hasErrno(error, 'EADDRINUSE')) throw error;
    }
  }
  const sockets = bindBoth({ udp: 0, tcp: 0 });
  try {
    const rules = redirectRules({ udp: boundPort(sockets.udpFd), tcp: boundPort(sockets.tcpFd) });
    nft.apply(left ? `delete table ip wharf_dns\n${rules}` : rules);
    return sockets;
  } catch (error) {
    closeSync(sockets.udpFd);
    closeSync(sockets.tcpFd);
    throw error;
  }
}

function bindBoth(ports: Ports): DnsSockets {
  const udpFd = openBoundSocket({
    protocol: 'udp',
    address: DNS_ADDRESS,
    port: ports.udp,
    receiveBytes: DNS_RECEIVE_BYTES,
  });
  try {
    return { udpFd, tcpFd: openBoundSocket({ protocol: 'tcp', address: DNS_ADDRESS, port: ports.tcp }) };
  } catch (error) {
    closeSync(udpFd);
    throw error;
  }
}

function redirectRules(ports: Ports): string {
  return `table ip wharf_dns {
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${DNS_ADDRESS} udp dport 53 dnat to ${DNS_ADDRESS}:${ports.udp}
    ip daddr ${DNS_ADDRESS} tcp dport 53 dnat to ${DNS_ADDRESS}:${ports.tcp}
  }
}`;
}

/** The ports of the rules that are there: the first rule is UDP's, the second TCP's. */
function portsInForce(nft: Nft): Ports | undefined {
  try {
    const ports = nft.list('list chain ip wharf_dns output').flatMap((object) => dnatPort(object['rule']) ?? []);
    const [udp, tcp] = ports;
    return udp === undefined || tcp === undefined ? undefined : { udp, tcp };
  } catch (error) {
    if (error instanceof NftError) return undefined;
    throw error;
  }
}

/** libnftables-json(5), "NAT": `{"dnat": {"addr": …, "port": …}}` among a rule's expressions. */
function dnatPort(rule: unknown): number | undefined {
  const { expr } = (rule ?? {}) as { readonly expr?: readonly { readonly dnat?: { readonly port?: unknown } }[] };
  const port = expr?.find((expression) => expression.dnat !== undefined)?.dnat?.port;
  return typeof port === 'number' ? port : undefined;
}
