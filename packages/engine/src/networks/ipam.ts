import { WharfError } from '@wharf/kit';
import { contains, formatIpv4, formatSubnet, lastOf, overlaps, parseCidr, parseIpv4, type Subnet } from './ipv4.ts';
import { POOL_SCAN_MAX } from './limits.ts';
import type { BridgeSettings } from './network.ts';

/** Docker's pools for networks without a subnet of their own: 172.17/16 … 172.31/16, then 192.168/16 in /20s. */
export function defaultPools(): Subnet[] {
  const pools: Subnet[] = [];
  for (let second = 17; second < 32; second++) pools.push({ base: (172 << 24) + (second << 16), length: 16 });
  for (let third = 0; third < 256; third += 16)
    pools.push({ base: (192 << 24) + (168 << 16) + (third << 8), length: 20 });
  return pools.map(({ base, length }) => ({ base: base >>> 0, length }));
}

/** The first pool that collides with nothing in use. Throws `resource-exhausted` when there is none left. */
export function choosePool(inUse: readonly Subnet[]): Subnet {
  const free = defaultPools().find((pool) => !inUse.some((other) => overlaps(pool, other)));
  if (!free) {
    throw new WharfError(
      'resource-exhausted',
      'could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network',
    );
  }
  return free;
}

/** The addresses of one network that are taken. Lives in memory: it is rebuilt from the endpoints. */
export class AddressPool {
  readonly #subnet: Subnet;
  readonly #range: Subnet;
  readonly #taken = new Set<number>();
  // No address below this one is free.
  #lowestFree: number;

  constructor(bridge: Pick<BridgeSettings, 'subnet' | 'gateway' | 'ipRange' | 'reserved'>) {
    this.#subnet = need(bridge.subnet);
    this.#range = bridge.ipRange === undefined ? this.#subnet : need(bridge.ipRange);
    for (const address of [bridge.gateway, ...bridge.reserved]) this.#taken.add(parseIpv4(address) ?? 0);
    if (this.#subnet.length < 31) {
      this.#taken.add(this.#subnet.base);
      this.#taken.add(lastOf(this.#subnet));
    }
    this.#lowestFree = this.#range.base;
  }

  /** Takes the lowest free address. Throws `resource-exhausted`. */
  take(): string {
    const end = Math.min(lastOf(this.#range), this.#lowestFree + POOL_SCAN_MAX);
    for (let address = this.#lowestFree; address <= end; address++) {
      if (this.#taken.has(address)) continue;
      this.#taken.add(address);
      this.#lowestFree = address + 1;
      return formatIpv4(address);
    }
    throw new WharfError(
      'resource-exhausted',
      `no available IPv4 addresses on this network's address pools: ${formatSubnet(this.#subnet)}`,
    );
  }

  /** Takes a certain address. Throws `invalid-argument` outside of the subnet, `conflict` when it is taken. */
  takeExactly(address: string): void {
    const number = parseIpv4(address);
    if (number === undefined || !contains(this.#subnet, number)) {
      throw new WharfError('invalid-argument', `no configured subnet contains IP address ${address}`);
    }
    if (this.#taken.has(number)) throw new WharfError('permission-denied', 'Address already in use');
    this.#taken.add(number);
  }

  /** True when nobody has the address and it is one of this network's. */
  isFree(address: string): boolean {
    const number = parseIpv4(address);
    return number !== undefined && contains(this.#subnet, number) && !this.#taken.has(number);
  }

  /** Gives an address back. Idempotent. */
  release(address: string): void {
    const number = parseIpv4(address);
    if (number === undefined || !this.#taken.delete(number)) return;
    if (contains(this.#range, number)) this.#lowestFree = Math.min(this.#lowestFree, number);
  }
}

function need(cidr: string): Subnet {
  const parsed = parseCidr(cidr);
  if (!parsed) throw new WharfError('internal', `Cannot use "${cidr}" as a subnet: it is none`);
  return parsed.subnet;
}
