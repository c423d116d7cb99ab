/** One container in one network, as DNS knows it. */
export interface NamedEndpoint {
  readonly endpointId: string;
  readonly networkId: string;
  readonly networkName: string;
  /** Of both families. */
  readonly addresses: readonly string[];
  /** The first is the one for its addresses. */
  readonly dnsNames: readonly string[];
  /** It is left out of a name that another one has, who is not: it is not well yet, or about to stop. */
  readonly avoided?: boolean;
}

/** Who is called what in the networks with DNS. Names are case-blind; one name may be many containers'. */
export class NameBook {
  readonly #endpoints = new Map<string, NamedEndpoint>();
  /** Network id → name → addresses by endpoint. */
  readonly #names = new Map<string, Map<string, Map<string, readonly string[]>>>();
  /** Network id → address → the first name of its endpoint. */
  readonly #addresses = new Map<string, Map<string, string>>();
  readonly #networkIds = new Map<string, string>();

  /** Takes the place of what was known of that endpoint. */
  add(endpoint: NamedEndpoint): void {
    this.remove(endpoint.endpointId);
    const { networkId, networkName, endpointId, addresses, dnsNames } = endpoint;
    if (addresses.length === 0) return;
    this.#endpoints.set(endpointId, endpoint);
    this.#networkIds.set(networkName.toLowerCase(), networkId);
    const names = this.#names.get(networkId) ?? new Map<string, Map<string, readonly string[]>>();
    this.#names.set(networkId, names);
    for (const name of dnsNames) {
      const key = name.toLowerCase();
      const holders = names.get(key) ?? new Map<string, readonly string[]>();
      names.set(key, holders.set(endpointId, addresses));
    }
    const known = this.#addresses.get(networkId) ?? new Map<string, string>();
    this.#addresses.set(networkId, known);
    for (const address of addresses) known.set(address, `${dnsNames[0] ?? endpointId}.${networkName}`);
  }

  /** Idempotent. */
  remove(endpointId: string): void {
    const endpoint = this.#endpoints.get(endpointId);
    if (!endpoint) return;
    this.#endpoints.delete(endpointId);
    const { networkId, networkName, addresses, dnsNames } = endpoint;
    const names = this.#names.get(networkId);
    for (const name of dnsNames) {
      const holders = names?.get(name.toLowerCase());
      holders?.delete(endpointId);
      if (holders?.size === 0) names?.delete(name.toLowerCase());
    }
    if (names?.size === 0) {
      this.#names.delete(networkId);
      this.#networkIds.delete(networkName.toLowerCase());
    }
    const known = this.#addresses.get(networkId);
    for (const address of addresses) known?.delete(address);
    if (known?.size === 0) this.#addresses.delete(networkId);
  }

  /** The addresses of a name in one network; none when nobody has it. `name.network` is understood too. */
  lookup(networkId: string, name: string): readonly string[] {
    const names = this.#names.get(networkId);
    if (!names) return [];
    const key = name.toLowerCase();
    const holders = names.get(key) ?? names.get(this.#withoutNetwork(networkId, key));
    if (!holders) return [];
    if (holders.size === 1) return [...holders.values()][0] ?? [];
    const preferred = [...holders].filter(([endpointId]) => this.#endpoints.get(endpointId)?.avoided !== true);
    const answered = preferred.length > 0 ? preferred : [...holders];
    return [...new Set(answered.flatMap(([, addresses]) => addresses))];
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
