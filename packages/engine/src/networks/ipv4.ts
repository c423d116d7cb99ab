import { isIPv4 } from 'node:net';

/** An IPv4 network as numbers, for comparing; addresses are unsigned 32-bit. */
export interface Subnet {
  readonly base: number;
  readonly length: number;
}

/** `a.b.c.d` as a number; `undefined` when it is none. */
export function parseIpv4(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

const maskOf = (length: number): number => (length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0);

/** The network part of an address. */
export const networkOf = (address: number, length: number): number => (address & maskOf(length)) >>> 0;

/** The last address of a network. */
export const lastOf = (subnet: Subnet): number => (subnet.base | ~maskOf(subnet.length)) >>> 0;

/** `a.b.c.d/n` with the address as given (host bits kept); `undefined` when it is none. */
export function parseCidr(text: string): { readonly address: number; readonly subnet: Subnet } | undefined {
  const [ip = '', bits = ''] = text.split('/');
  const address = parseIpv4(ip);
  if (address === undefined || !/^\d{1,2}$/.test(bits)) return undefined;
  const length = Number(bits);
  if (length > 32) return undefined;
  return { address, subnet: { base: networkOf(address, length), length } };
}

export const formatSubnet = (subnet: Subnet): string => `${formatIpv4(subnet.base)}/${subnet.length}`;

export const contains = (subnet: Subnet, address: number): boolean => networkOf(address, subnet.length) === subnet.base;

export function overlaps(a: Subnet, b: Subnet): boolean {
  const length = Math.min(a.length, b.length);
  return networkOf(a.base, length) === networkOf(b.base, length);
}
