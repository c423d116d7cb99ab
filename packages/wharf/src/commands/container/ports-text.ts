export interface PublishedPort {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

interface Range {
  readonly key: string;
  readonly first: number;
  last: number;
}

/** The ports of a container as docker lists them: `0.0.0.0:8080->80/tcp, 9000-9002/tcp`; neighbours are put together. */
export function portsText(ports: readonly PublishedPort[]): string {
  const texts: string[] = [];
  const mapped: string[] = [];
  const open = new Map<string, Range>();
  for (const port of ports.toSorted(comparePorts)) {
    const { IP = '', PrivatePort: current, PublicPort = 0, Type } = port;
    if (IP !== '' && PublicPort !== current) {
      mapped.push(`${hostPort(IP, PublicPort)}->${current}/${Type}`);
      continue;
    }
    const key = IP === '' ? Type : `${IP}/${Type}`;
    const range = open.get(key);
    if (range !== undefined && range.last + 1 === current) range.last = current;
    else {
      if (range !== undefined) texts.push(rangeText(range));
      open.set(key, { key, first: current, last: current });
    }
  }
  // A range that went on after a gap stands where its key was first met.
  return [...texts, ...[...open.values()].map(rangeText), ...mapped].join(', ');
}

function rangeText({ key, first, last }: Range): string {
  const slash = key.lastIndexOf('/');
  const group = first === last ? String(first) : `${first}-${last}`;
  if (slash < 0) return `${group}/${key}`;
  return `${hostPort(key.slice(0, slash), group)}->${group}/${key.slice(slash + 1)}`;
}

/** Go's net.JoinHostPort. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function comparePorts(left: PublishedPort, right: PublishedPort): number {
  if (left.PrivatePort !== right.PrivatePort) return left.PrivatePort - right.PrivatePort;
  const [leftIp = '', rightIp = ''] = [left.IP, right.IP];
  if (leftIp !== rightIp) return leftIp < rightIp ? -1 : 1;
  const [leftPort = 0, rightPort = 0] = [left.PublicPort, right.PublicPort];
  if (leftPort !== rightPort) return leftPort - rightPort;
  return left.Type < right.Type ? -1 : left.Type > right.Type ? 1 : 0;
}

/** For a narrow terminal: ports without the addresses that stand for all of them, each once. */
export function shortPortsText(ports: readonly PublishedPort[]): string {
  const anywhere = ports.map((port) => {
    const { IP = '', ...rest } = port;
    return IP === '0.0.0.0' || IP === '::' ? { ...rest, IP: '*' } : port;
  });
  const once = new Map(anywhere.map((port) => [JSON.stringify(port), port]));
  return portsText([...once.values()]).replaceAll('*:', '');
}
