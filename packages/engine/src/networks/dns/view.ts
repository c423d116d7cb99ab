import type { NameBook } from './name-book.ts';
import type { DnsView } from './resolver.ts';

/** One of the networks that a container is in. */
export interface SeenNetwork {
  readonly id: string;
  /** `container:alias` pairs that only this container sees. */
  readonly links: readonly string[];
}

/** What one container sees of the others: those of its networks, and its links by their aliases first. */
export function dnsViewOf(networks: readonly SeenNetwork[], names: NameBook): DnsView {
  const aliases = new Map<string, { readonly networkId: string; readonly container: string }>();
  for (const { id, links } of networks.toReversed()) {
    for (const link of links) {
      const colon = link.indexOf(':');
      const [container, alias] = colon < 0 ? [link, link] : [link.slice(0, colon), link.slice(colon + 1)];
      aliases.set(alias.toLowerCase(), { networkId: id, container });
    }
  }
  return {
    lookup(name) {
      const link = aliases.get(name);
      if (link) return names.lookup(link.networkId, link.container);
      const [only] = networks;
      if (networks.length === 1 && only) return names.lookup(only.id, name);
      return [...new Set(networks.flatMap(({ id }) => names.lookup(id, name)))];
    },
    reverse(address) {
      for (const { id } of networks) {
        const name = names.reverse(id, address);
        if (name !== undefined) return name;
      }
      return undefined;
    },
  };
}
