import type { LiveEndpoint } from '../network.ts';

/** Who is called what in the networks with DNS. Names are case-blind; one name may be many containers'. */
export class NameBook {
  /** Network id → name → addresses by endpoint. */
  readonly #names = new Map<string, Map<string, Map<string, string>>>();
  /** Network id → address → the first name of its endpoint. */
  readonly #addresses = new Map<string, Map<string, string>>();
  readonly #networkIds = new Map<string, string>();

  add(endpoint: LiveEndpoint): void {
    const { network, endpointId, address, dnsNames } = endpoint;
    if (address === '') return;
    this.#networkIds.set(network.name.toLowerCase(), network.id);
    const names = this.#names.get(network.id) ?? new Map<string, Map<string, string>>();
    this.#names.set(network.id, names);
    for (const name of dnsNames) {
      const key = name.toLowerCase();
      const holders = names.get(key) ?? new Map<string, string>();
      names.set(key, holders.set(endpointId, address));
    }
    const addresses = this.#addresses.get(network.id) ?? new Map<string, string>();
    this.#addresses.set(network.id, addresses.set(address, `${dnsNames[0] ?? endpoint.containerName}.${network.name}`));
  }

  remove(endpoint: LiveEndpoint): void {
    const { network, endpointId, address, dnsNames } = endpoint;
    const names = this.#names.get(network.id);
    for (const name of dnsNames) {
      const holders = names?.get(name.toLowerCase());
      holders?.delete(endpointId);
      if (holders?.size === 0) names?.delete(name.toLowerCase());
    }
    if (names?.size === 0) {
      this.#names.delete(network.id);
      this.#networkIds.delete(network.name.toLowerCase());
    }
    this.#addresses.get(network.id)?.delete(address);
    if (this.#addresses.get(network.id)?.size === 0) this.#addresses.delete(network.id);
  }

  /** The addresses of a name in one network; none when nobody has it. `name.network` is understood too. */
  lookup(networkId: string, name: string): readonly string[] {
    const names = this.#names.get(networkId);
    if (!names) return [];
    const key = name.toLowerCase();
    const holders = names.get(key) ?? names.get(this.#withoutNetwork(networkId, key));
    return holders ? [...new Set(holders.values())] : [];
  }

  /** The name of an address in one network. */
  reverse(networkId: string, address: string): string | undefined {
    return this.#addresses.get(networkId)?.get(address);
  }

  #withoutNetwork(networkId: string, name: string): string {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      if (this.#networkIds.get(name.slice(dot + 1)) === networkId) return name.slice(0, dot);
    }
    return '';
  }
}
