import { WharfError } from '@wharf/kit';
import { ADDRESS_IN_USE } from '@wharf/wire/docker/messages';
import type { NetworkPool, NetworkRecord } from './network.ts';
import {
  type Address,
  bitsOf,
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  lastOf,
  parseAddress,
  parseCidr,
  type Subnet,
} from './subnet.ts';

/** An address given out, and where it is from. */
export interface Lease {
  readonly address: string;
  readonly prefixLength: number;
  /** What a container uses as its gateway; empty when the subnet has none. */
  readonly gateway: string;
}

export interface PoolStatus {
  readonly subnet: string;
  readonly inUse: bigint;
  readonly available: bigint;
}

/** The addresses of one subnet that are taken. Lives in memory: it is rebuilt from the endpoints. */
export class AddressPool {
  readonly subnet: Subnet;
  readonly #pool: NetworkPool;
  readonly #range: Subnet;
  readonly #taken = new Set<bigint>();
  // No address below this one is free.
  #lowestFree: bigint;

  constructor(pool: NetworkPool) {
    this.#pool = pool;
    this.subnet = need(pool.subnet);
    this.#range = pool.ipRange === undefined ? this.subnet : need(pool.ipRange);
    for (const text of [pool.gateway, ...pool.reserved]) {
      const address = parseAddress(text);
      if (address) this.#taken.add(address.value);
    }
    const hasSpecial = bitsOf(this.subnet.family) - this.subnet.length > 1;
    if (hasSpecial) this.#taken.add(this.subnet.base);
    if (hasSpecial && this.subnet.family === 4) this.#taken.add(lastOf(this.subnet));
    this.#lowestFree = this.#range.base;
  }

  /** Takes the lowest free address that is not in `avoid`; `undefined` when there is none. */
  take(avoid: ReadonlySet<bigint>): Lease | undefined {
    const last = lastOf(this.#range);
    let passed = false;
    for (let value = this.#lowestFree; value <= last; value++) {
      if (this.#taken.has(value)) continue;
      if (avoid.has(value)) {
        passed = true;
        continue;
      }
      this.#taken.add(value);
      if (!passed) this.#lowestFree = value + 1n;
      return this.lease(value);
    }
    return undefined;
  }

  /** Takes a certain address, which must be in the subnet. False when it is taken. */
  takeExactly(value: bigint): boolean {
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    return true;
  }

  has(value: bigint): boolean {
    return this.#taken.has(value);
  }

  /** Gives an address back. Idempotent. */
  release(value: bigint): void {
    if (!this.#taken.delete(value)) return;
    if (value >= this.#range.base && value < this.#lowestFree) this.#lowestFree = value;
  }

  lease(value: bigint): Lease {
    return {
      address: formatAddress({ family: this.subnet.family, value }),
      prefixLength: this.subnet.length,
      gateway: this.#pool.containerGateway ?? this.#pool.gateway,
    };
  }

  /** As `inspect` counts since API 1.52. */
  status(): PoolStatus {
    const size = 1n << BigInt(bitsOf(this.#range.family) - this.#range.length);
    const last = lastOf(this.#range);
    let inRange = 0n;
    for (const value of this.#taken) if (value >= this.#range.base && value <= last) inRange++;
    return { subnet: formatSubnet(this.subnet), inUse: BigInt(this.#taken.size), available: size - inRange };
  }
}

const NOTHING: ReadonlySet<bigint> = new Set();

/** The addresses of one network, of both families and all its subnets. */
export class NetworkAddresses {
  readonly #pools: readonly AddressPool[];

  constructor(network: Pick<NetworkRecord, 'ipv4' | 'ipv6'>) {
    this.#pools = [...network.ipv4, ...network.ipv6].map((pool) => new AddressPool(pool));
  }

  /**
   * Takes the address asked for, or the lowest free one that nobody has been promised (`avoid`). `undefined` when the network has
   * no such family. Throws `invalid-argument` outside of the subnets, `permission-denied` when it is taken,
   * `resource-exhausted` when there is none left.
   */
  take(family: Family, asked: string, avoid: ReadonlySet<bigint> = NOTHING): Lease | undefined {
    const pools = this.#pools.filter(({ subnet }) => subnet.family === family);
    if (asked !== '') return this.#takeExactly(asked, family);
    if (pools.length === 0) return undefined;
    for (const pool of pools) {
      const lease = pool.take(avoid);
      if (lease) return lease;
    }
    const subnets = pools.map(({ subnet }) => formatSubnet(subnet)).join(', ');
    throw new WharfError(
      'resource-exhausted',
      `no available IPv${family} addresses on this network's address pools: ${subnets}`,
    );
  }

  /** Takes an address that a running container has; one that somebody else has too is shared, and told by `false`. */
  adopt(text: string): boolean {
    const found = this.#find(text);
    return found === undefined || found.pool.takeExactly(found.address.value);
  }

  /** Gives an address back. Idempotent. */
  release(text: string): void {
    const found = this.#find(text);
    found?.pool.release(found.address.value);
  }

  /** What the lease of an address says that is in force. */
  leaseOf(text: string): Lease | undefined {
    const found = this.#find(text);
    return found?.pool.lease(found.address.value);
  }

  status(): PoolStatus[] {
    return this.#pools.map((pool) => pool.status());
  }

  #takeExactly(asked: string, family: Family): Lease {
    const found = this.#find(asked);
    if (found?.address.family !== family) {
      throw new WharfError('invalid-argument', `no configured subnet contains IP address ${asked}`);
    }
    if (!found.pool.takeExactly(found.address.value)) throw new WharfError('permission-denied', ADDRESS_IN_USE);
    return found.pool.lease(found.address.value);
  }

  #find(text: string): { readonly pool: AddressPool; readonly address: Address } | undefined {
    const address = parseAddress(text);
    const pool = address && this.#pools.find(({ subnet }) => contains(subnet, address));
    return address && pool ? { pool, address } : undefined;
  }
}

function need(cidr: string): Subnet {
  const parsed = parseCidr(cidr);
  if (!parsed) throw new WharfError('internal', `Cannot use "${cidr}" as a subnet: it is none`);
  return parsed.subnet;
}
