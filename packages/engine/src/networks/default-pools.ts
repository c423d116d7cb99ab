import { WharfError } from '@wharf/kit';
import { NO_MORE_POOLS } from '@wharf/wire/docker/messages';
import { bitsOf, type Family, lastOf, overlaps, parseCidr, type Subnet } from './subnet.ts';

/** A range that networks without a subnet of their own get one of `size` bits from. */
export interface PoolToSplit {
  readonly base: Subnet;
  readonly size: number;
}

/** As `default-address-pools` of daemon.json has them. */
export interface PoolSetting {
  readonly base: string;
  readonly size: number;
}

/** Docker's own: 172.17/16 … 172.31/16, then 192.168/16 in /20s; after these 31, where Docker gives up, 256 small ones more. */
const USUAL: readonly PoolSetting[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/15', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
  { base: '10.201.0.0/16', size: 24 },
];

/**
 * The pools to choose from. Those of a family that `settings` does not name are the usual ones; `ula` is this daemon's own
 * IPv6 prefix (RFC 4193), `fdxx:xxxx:xxxx::/48`. Throws `invalid-argument` in Docker's words.
 */
export function poolsToSplit(settings: readonly PoolSetting[], ula: string): PoolToSplit[] {
  const given = settings.map(poolOf);
  const usual = [...USUAL, { base: ula, size: 64 }].map(poolOf);
  return [...given, ...usual.filter(({ base }) => !given.some((pool) => pool.base.family === base.family))];
}

function poolOf({ base: text, size }: PoolSetting): PoolToSplit {
  const parsed = parseCidr(text);
  if (!parsed) throw new WharfError('invalid-argument', `invalid default address pool: invalid CIDR address: ${text}`);
  const { subnet, address } = parsed;
  if (address.value !== subnet.base)
    throw new WharfError('invalid-argument', `invalid default address pool: "${text}" is not in canonical form`);
  if (!Number.isInteger(size) || size < subnet.length || size > bitsOf(subnet.family) - 2) {
    throw new WharfError(
      'invalid-argument',
      `invalid default address pool: networks of /${size} cannot be cut from "${text}"`,
    );
  }
  return { base: subnet, size };
}

/** The first subnet of the pools that collides with nothing in use. Throws `invalid-argument` in Docker's words when there is none left. */
export function choosePool(pools: readonly PoolToSplit[], family: Family, inUse: readonly Subnet[]): Subnet {
  for (const { base, size } of pools) {
    if (base.family !== family) continue;
    const inTheWay = inUse.filter((other) => overlaps(base, other));
    const step = 1n << BigInt(bitsOf(family) - size);
    for (let at = base.base; at <= lastOf(base); ) {
      const candidate: Subnet = { family, base: at, length: size };
      const other = inTheWay.find((subnet) => overlaps(candidate, subnet));
      if (!other) return candidate;
      // Past what is in the way, at the next multiple of the size.
      const past = lastOf(other) + 1n;
      at = past > at ? ((past + step - 1n) / step) * step : at + step;
    }
  }
  throw new WharfError('invalid-argument', NO_MORE_POOLS);
}
