import { isIP } from 'node:net';
import { decodeIp, encodeIp } from '@wharf/linux/netlink';

export type Family = 4 | 6;

/** A network of either family as numbers, for comparing. */
export interface Subnet {
  readonly family: Family;
  readonly base: bigint;
  /** Bits of the prefix. */
  readonly length: number;
}

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** `a.b.c.d` or an IPv6 address as a number; `undefined` when it is neither. An IPv4 address in IPv6 form is IPv4. */
export function parseAddress(text: string): Address | undefined {
  const kind = isIP(text);
  if (kind === 0 || text.includes('%')) return undefined;
  if (kind === 4) {
    return { family: 4, value: BigInt(text.split('.').reduce((value, part) => value * 256 + Number(part), 0)) };
  }
  const value = BigInt(`0x${encodeIp(text).bytes.toString('hex')}`);
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value };
}

/** The shortest usual form (RFC 5952). */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  return decodeIp(Buffer.from(value.toString(16).padStart(32, '0'), 'hex'));
}

const hostMask = (subnet: Pick<Subnet, 'family' | 'length'>): bigint =>
  (1n << BigInt(bitsOf(subnet.family) - subnet.length)) - 1n;

/** The network of that length which an address is in. */
export function subnetOf(address: Address, length: number): Subnet {
  const shift = BigInt(bitsOf(address.family) - length);
  return { family: address.family, base: (address.value >> shift) << shift, length };
}

/** The last address of a network. */
export const lastOf = (subnet: Subnet): bigint => subnet.base | hostMask(subnet);

/** `address/n` with the address as given (host bits kept); `undefined` when it is none. */
export function parseCidr(text: string): { readonly address: Address; readonly subnet: Subnet } | undefined {
  const [ip = '', bits = '', ...rest] = text.split('/');
  const address = parseAddress(ip);
  if (address === undefined || rest.length > 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  const length = Number(bits);
  if (length > bitsOf(address.family)) return undefined;
  return { address, subnet: subnetOf(address, length) };
}

export const formatSubnet = (subnet: Subnet): string =>
  `${formatAddress({ family: subnet.family, value: subnet.base })}/${subnet.length}`;

export const contains = (subnet: Subnet, address: Address | undefined): boolean =>
  address !== undefined &&
  address.family === subnet.family &&
  address.value >= subnet.base &&
  address.value <= lastOf(subnet);

export const overlaps = (a: Subnet, b: Subnet): boolean =>
  a.family === b.family && a.base <= lastOf(b) && b.base <= lastOf(a);

/** The prefix length of `address/n`. */
export const lengthOf = (cidr: string): number => Number(cidr.slice(cidr.indexOf('/') + 1));
