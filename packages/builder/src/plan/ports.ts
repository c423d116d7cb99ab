import { isIP } from 'node:net';
import { DockerfileError } from '../dockerfile/location.ts';

const MAX_PORT = 65_535;
const PROTOCOLS: ReadonlySet<string> = new Set(['tcp', 'udp', 'sctp']);

/** Told of each word: the protocol as written, and whether something of the host was named with the port. */
export type PortObserver = (word: string, protocol: string, hasHostPart: boolean) => void;

/** The words of an EXPOSE as the image's configuration has them: `80/tcp`, ranges written out. Throws a DockerfileError. */
export function exposedPorts(words: readonly string[], observe: PortObserver = () => undefined): readonly string[] {
  return words.flatMap((word) => {
    const { address, hostPort, rest } = split(word);
    const [port, protocol] = cut(rest, '/');
    if (port === '') throw new DockerfileError(`invalid port: ${JSON.stringify(word)}: no port specified`);
    const kind = protocol === '' ? 'tcp' : protocol.toLowerCase();
    if (!PROTOCOLS.has(kind)) {
      throw new DockerfileError(`invalid port: ${JSON.stringify(word)}: invalid proto: ${protocol}`);
    }
    observe(word, protocol, address !== '' || hostPort !== '');
    const bare = address.replace(/^\[(.*)\]$/, '$1');
    if (bare !== '' && isIP(bare) === 0) throw new DockerfileError(`invalid IP address: ${bare}`);
    const range = portRange(port);
    if (range === undefined) throw new DockerfileError(`invalid containerPort: ${port}`);
    checkHostPort(hostPort, port, range);
    const [start, end] = range;
    return Array.from({ length: end - start + 1 }, (_, index) => `${start + index}/${kind}`);
  });
}

/** `[address:][host port:]port`, as `docker run -p` has it; here all but the last is without effect. */
function split(word: string): { readonly address: string; readonly hostPort: string; readonly rest: string } {
  const parts = word.split(':');
  const rest = parts.at(-1) ?? '';
  const hostPort = parts.length < 2 ? '' : (parts.at(-2) ?? '');
  return { address: parts.slice(0, -2).join(':'), hostPort, rest };
}

function checkHostPort(hostPort: string, port: string, [start, end]: readonly [number, number]): void {
  if (hostPort === '') return;
  const host = portRange(hostPort);
  if (host === undefined) throw new DockerfileError(`invalid hostPort: ${hostPort}`);
  if (start !== end && host[1] - host[0] !== end - start) {
    throw new DockerfileError(`invalid ranges specified for container and host Ports: ${port} and ${hostPort}`);
  }
}

function portRange(text: string): readonly [number, number] | undefined {
  const [first = '', last = first] = text.includes('-') ? cut(text, '-') : [text];
  const [start, end] = [portNumber(first), portNumber(last)];
  return start === undefined || end === undefined || end < start ? undefined : [start, end];
}

function portNumber(text: string): number | undefined {
  const number = /^[+-]?\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
  return number >= 0 && number <= MAX_PORT ? number : undefined;
}

function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
