import type { LiveContainer } from '../live-containers.ts';
import { isUserDefined, type LiveEndpoint } from '../network.ts';
import type { NameBook } from './name-book.ts';
import type { DnsView } from './resolver.ts';

/** What one container sees of the others: those of its user-defined networks, and its links by their aliases first. */
export function dnsViewOf(live: Pick<LiveContainer, 'endpoints'>, names: NameBook): DnsView {
  const networks = (): readonly LiveEndpoint[] => live.endpoints.filter(({ network }) => isUserDefined(network.name));
  return {
    lookup(name) {
      for (const { network, links } of networks()) {
        for (const link of links) {
          const colon = link.indexOf(':');
          const [container, alias] = colon < 0 ? [link, link] : [link.slice(0, colon), link.slice(colon + 1)];
          if (alias.toLowerCase() === name) return names.lookup(network.id, container);
        }
      }
      return [...new Set(networks().flatMap(({ network }) => names.lookup(network.id, name)))];
    },
    reverse(address) {
      for (const { network } of networks()) {
        const name = names.reverse(network.id, address);
        if (name !== undefined) return name;
      }
      return undefined;
    },
  };
}
