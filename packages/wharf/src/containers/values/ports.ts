import { parseGoInteger } from '@wharf/kit/go-numbers';
import { isIpAddress } from './addresses.ts';
import { cut } from './pairs.ts';
import { refuse } from './refuse.ts';

export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

/** Ports as the Engine API has them, by `80/tcp`. */
export interface Ports {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>;
}

/** Reads all of `--publish` (`[[ip:][host]:]container[/protocol]` with ranges, or `published=…,target=…`) and `--expose`. */
export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const bindings: Record<string, PortBinding[]> = {};
  for (const wish of publish.map(toShortForm)) {
    for (const { port, binding } of published(wish)) bindings[port] = [...(bindings[port] ?? []), binding];
  }
  const exposed = Object.fromEntries(Object.keys(bindings).map((port) => [port, {}]));
  for (const port of expose.flatMap(exposedPorts)) exposed[port] = {};
  return { exposed, bindings };
}

function toShortForm(text: string): string {
  if (!text.includes('=')) return text;
  const fields: Record<string, string> = { protocol: 'tcp' };
  for (const field of text.split(',')) {
    const { before, after, found } = cut(field, '=');
    if (!found || before === '') {
      throw refuse(`invalid publish opts format (should be name=value but got '${field}')`);
    }
    fields[before] = after;
  }
  return `${fields['published'] ?? ''}:${fields['target'] ?? ''}/${fields['protocol'] ?? ''}`;
}

function published(text: string): readonly { readonly port: string; readonly binding: PortBinding }[] {
  const parts = text.split(':');
  const { protocol, port } = splitProtocol(parts.at(-1) ?? '');
  const hostPort = parts.at(-2) ?? '';
  const ip = address(parts.slice(0, -2).join(':'));
  if (port === '') throw refuse(`no port specified: ${text}<empty>`);
  const inside = rangeOr(port, `invalid containerPort: ${port}`);
  const outside = hostPort === '' ? { start: 0, end: 0 } : rangeOr(hostPort, `invalid hostPort: ${hostPort}`);
  const [length, hostLength] = [inside.end - inside.start, outside.end - outside.start];
  if (hostPort !== '' && length !== hostLength && length !== 0) {
    throw refuse(`invalid ranges specified for container and host Ports: ${port} and ${hostPort}`);
  }
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase())) throw refuse(`invalid proto: ${protocol}`);
  return Array.from({ length: length + 1 }, (_, index) => {
    let host = hostPort === '' ? '' : String(outside.start + index);
    // Any one of the host's ports will do for a single port of the container.
    if (length === 0 && hostLength !== 0) host = `${host}-${outside.end}`;
    return {
      port: `${inside.start + index}/${protocol.toLowerCase()}`,
      binding: { HostIp: ip, HostPort: host },
    };
  });
}

function address(text: string): string {
  const bracketed = /^\[(.*)\]$/s.exec(text);
  if (text.startsWith('[') && bracketed === null) {
    throw refuse(`invalid IP address ${text}: address ${text}:: missing ']' in address`);
  }
  const ip = bracketed?.[1] ?? text;
  if (ip !== '' && !isIpAddress(ip)) throw refuse(`invalid IP address: ${ip}`);
  return ip;
}

function exposedPorts(text: string): readonly string[] {
  if (text.includes(':')) throw refuse(`invalid port format for --expose: ${text}`);
  const { protocol, port } = splitProtocol(text);
  let range: Range;
  try {
    range = parseRange(port);
  } catch (error) {
    throw refuse(`invalid range format for --expose: ${text}, error: ${(error as Error).message}`);
  }
  return Array.from({ length: range.end - range.start + 1 }, (_, index) => `${range.start + index}/${protocol}`);
}

function splitProtocol(text: string): { readonly protocol: string; readonly port: string } {
  const [port = '', protocol = ''] = text.split('/');
  if (port === '') return { protocol: '', port: '' };
  return { protocol: protocol === '' ? 'tcp' : protocol, port };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function parseRange(text: string): Range {
  if (text === '') throw refuse('empty string specified for ports');
  const [first = '', last = first] = text.split('-');
  const [start, end] = [first, last].map((port) => Number(parseGoInteger(port, { as: 'ParseUint', bits: 16 })));
  if (start === undefined || end === undefined || end < start)
    throw refuse(`invalid range specified for port: ${text}`);
  return { start, end };
}

function rangeOr(text: string, message: string): Range {
  try {
    return parseRange(text);
  } catch {
    throw refuse(message);
  }
}
