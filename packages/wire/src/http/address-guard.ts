import { isIP } from 'node:net';

/**
 * True for addresses that a server may not send this machine to: its own (loopback, unspecified) and link-local ones, where
 * providers of virtual machines keep credentials. Private networks are allowed: registries and their storage often live there.
 */
export function isForbiddenTarget(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (address === 'localhost' || address.endsWith('.localhost')) return true;
  const kind = isIP(address);
  if (kind === 4) return isForbiddenV4(address);
  if (kind !== 6) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? mappedOf(address);
  if (mapped !== undefined) return isForbiddenV4(mapped);
  return address === '::' || address === '::1' || /^fe[89ab]/.test(address) || address === 'fd00:ec2::254';
}

function isForbiddenV4(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('169.254.') || address.startsWith('0.');
}

/** `::ffff:7f00:1` as `127.0.0.1`. */
function mappedOf(address: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (match === null) return undefined;
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
