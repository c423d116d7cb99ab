import { refuse } from './refuse.ts';

/** True for what Go's net.ParseIP takes: no zones, no leading zeros. */
export function isIpAddress(text: string): boolean {
  return canonicalIp(text) !== undefined;
}

/** An address as Go's net.IP writes it; `undefined` for what is none. IPv4 within IPv6 is written as IPv4. */
export function canonicalIp(text: string): string | undefined {
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(text)) {
    const parts = text.split('.');
    return parts.every((part) => Number(part) < 256 && (part === '0' || !part.startsWith('0'))) ? text : undefined;
  }
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(':')) return undefined;
  const host = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host ?? '');
  if (mapped === null) return host;
  const [high, low] = [mapped[1], mapped[2]].map((part) => Number.parseInt(part ?? '0', 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** A DNS server's address in its canonical form. */
export function parseDnsServer(text: string): string {
  const ip = canonicalIp(text.trim());
  if (ip === undefined) throw refuse(`IP address is not correctly formatted: ${text}`);
  return ip;
}

/** True for what Go's net.ParseMAC takes: 6, 8 or 20 bytes with colons, hyphens or dots. */
export function isMacAddress(text: string): boolean {
  const value = text.trim();
  const bytes = /^[0-9a-f]{2}(?::[0-9a-f]{2})+$|^[0-9a-f]{2}(?:-[0-9a-f]{2})+$/i.test(value);
  const words = /^[0-9a-f]{4}(?:\.[0-9a-f]{4})+$/i.test(value);
  const digits = value.replaceAll(/[:.-]/g, '').length / 2;
  return (bytes || words) && [6, 8, 20].includes(digits);
}

/** A domain to search in; `.` stands for none. */
export function parseDnsSearch(text: string): string {
  const domain = text.replaceAll(/^ +| +$/g, '');
  if (domain === '.') return domain;
  const label = '[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]';
  const match = new RegExp(`^(:?(?::?${label})(?::?\\.(?::?${label}))*)\\.?\\s*$`).exec(domain);
  const name = match?.[1] ?? '';
  if (!/[a-zA-Z]/.test(domain) || match === null || name.length >= 255) throw refuse(`${domain} is not a valid domain`);
  return name;
}

/** `name:ip` or `name=ip` as the daemon takes it, `name:ip`. */
export function parseExtraHost(text: string): string {
  const split = /^([^=]*)=(.*)$/s.exec(text) ?? /^([^:]*):(.*)$/s.exec(text);
  const [, name = '', given = ''] = split ?? [];
  if (split === null || name === '' || name.includes(':')) {
    throw refuse(`bad format for add-host: ${JSON.stringify(text)}`);
  }
  if (given === 'host-gateway') return `${name}:${given}`;
  const ip = /^\[(.+)\]$/.exec(given)?.[1] ?? given;
  if (!isIpAddress(ip.trim())) throw refuse(`invalid IP address in add-host: ${JSON.stringify(ip)}`);
  return `${name}:${ip}`;
}
