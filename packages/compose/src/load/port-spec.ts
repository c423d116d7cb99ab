import { isAddress } from './addresses.ts';
import { LIMITS } from './limits.ts';
import { type Dict, dict, goString } from './values.ts';

/**
 * A port's short form (`[[ip:]published:]target[/protocol]`, ranges included) as the long ones it stands for, sorted as
 * docker compose sorts them. Throws an `Error` in docker's words (`Invalid containerPort: …`).
 */
export function parsePortSpec(spec: string): Dict[] {
  const parts = spec.split(':');
  const container = parts.pop() ?? '';
  const published = parts.pop() ?? '';
  const address = parseAddress(parts.join(':'));
  const [port, protocol] = splitProtocol(container);
  if (port === '') throw new Error(`No port specified: ${spec}<empty>`);
  const target = parseRange(port);
  if (target === undefined) throw new Error(`Invalid containerPort: ${port}`);
  const host = published === '' ? { start: 0, end: 0 } : parseRange(published);
  if (host === undefined) throw new Error(`Invalid hostPort: ${published}`);
  if (published !== '' && target.end - target.start !== host.end - host.start && target.end !== target.start)
    throw new Error(`Invalid ranges specified for container and host Ports: ${port} and ${published}`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw new Error(`Invalid proto: ${protocol}`);
  const ports = expand(target, host, published !== '').map(([inside, outside]) =>
    portEntry({ inside, outside, address, protocol: protocol.toLowerCase() }),
  );
  // As texts, which is how Go orders its keys: 10000 comes before 9999.
  const key = (port: Dict): string => `${goString(port['target'] ?? 0)}/`;
  return ports.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function expand(target: Range, host: Range, published: boolean): [number, string][] {
  const count = Math.min(target.end - target.start + 1, LIMITS.portRange);
  return Array.from({ length: count }, (_, i) => {
    if (!published) return [target.start + i, ''];
    const outside = String(host.start + i);
    // A range of the host for one port of the container: any of them.
    return [
      target.start + i,
      target.start === target.end && host.start !== host.end ? `${outside}-${host.end}` : outside,
    ];
  });
}

function portEntry(port: { inside: number; outside: string; address: string; protocol: string }): Dict {
  const entry = dict({ mode: 'ingress' });
  if (port.address !== '') entry['host_ip'] = port.address;
  if (port.inside !== 0) entry['target'] = port.inside;
  if (port.outside !== '') entry['published'] = port.outside;
  entry['protocol'] = port.protocol;
  return entry;
}

function parseAddress(raw: string): string {
  const bracketed = /^\[(.*)\]$/.exec(raw);
  const address = bracketed?.[1] ?? raw;
  if (bracketed === null && raw.includes(':'))
    throw new Error(`Invalid ip address ${raw}: address ${raw}:: too many colons in address`);
  if (address !== '' && !isAddress(address)) throw new Error(`Invalid ip address: ${address}`);
  return address;
}

function splitProtocol(raw: string): [string, string] {
  const [port = '', protocol = ''] = raw.split('/');
  if (port === '') return ['', ''];
  return [port, protocol === '' ? 'tcp' : protocol];
}

function parseRange(text: string): Range | undefined {
  const [first = '', second = first] = text.split('-');
  const start = parsePort(first);
  const end = parsePort(second);
  return start === undefined || end === undefined || end < start ? undefined : { start, end };
}

function parsePort(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const port = Number(text);
  return port > 65_535 ? undefined : port;
}
