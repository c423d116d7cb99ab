import { closeSync, readFileSync } from 'node:fs';
import { ERRNO, SystemError } from './errno.ts';
import { bind, check, lastErrno } from './ffi.ts';
import { liftDescriptor } from './low-descriptors.ts';
import { encodeIp } from './netlink/ip.ts';

const cSocket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const cBind = bind<(fd: number, address: Buffer, size: number) => number>('bind', 'int', ['int', 'void *', 'uint']);
const cListen = bind<(fd: number, backlog: number) => number>('listen', 'int', ['int', 'int']);
const cGetsockname = bind<(fd: number, address: Buffer, size: Buffer) => number>('getsockname', 'int', [
  'int',
  'void *',
  'void *',
]);
const cSetsockopt = bind<(fd: number, level: number, name: number, value: Buffer, size: number) => number>(
  'setsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'uint'],
);

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_SCTP = 132;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_RCVBUFFORCE = 33;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

export type InetProtocol = 'tcp' | 'udp' | 'sctp';

/**
 * Opens an internet socket in the current network namespace, to which it then belongs for good, and binds it (port 0: any
 * free one). TCP sockets listen with that backlog. The descriptor is non-blocking, close-on-exec and the caller's: node:net
 * and node:dgram adopt it. Throws `SystemError` (`EADDRINUSE`, `EADDRNOTAVAIL`, `EPROTONOSUPPORT`, …).
 */
export function openBoundSocket(options: {
  readonly protocol: InetProtocol;
  readonly address: string;
  readonly port: number;
  readonly backlog?: number;
  /** What may wait in the socket unread, beyond the system's limit (CAP_NET_ADMIN). */
  readonly receiveBytes?: number;
}): number {
  const { protocol, address, port } = options;
  const { family, bytes } = encodeIp(address);
  const domain = family;
  const type = (protocol === 'udp' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = check(cSocket(domain, type, protocol === 'sctp' ? IPPROTO_SCTP : 0), 'socket');
  try {
    const on = Buffer.alloc(128);
    on.writeUInt32LE(1);
    // Connections of an earlier owner that linger in TIME_WAIT are no reason to refuse; a listener still is one.
    if (protocol !== 'udp') cSetsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on, 4);
    if (domain === AF_INET6) cSetsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, on, 4);
    if (options.receiveBytes !== undefined) {
      on.writeUInt32LE(options.receiveBytes);
      cSetsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, on, 4);
    }
    const { sockaddr, size } = socketAddress(domain, bytes, port);
    if (cBind(fd, sockaddr, size) !== 0) throw new SystemError(lastErrno(), 'bind', `${address}:${port}`);
    if (protocol !== 'udp' && cListen(fd, options.backlog ?? 128) !== 0) {
      throw new SystemError(lastErrno(), 'listen', `${address}:${port}`);
    }
    return liftDescriptor(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * The ports from `first` to `last` at which some socket of the current network namespace listens (TCP) or is bound (UDP),
 * in either family: one look at the kernel's table, however long the range. None for SCTP.
 */
export function portsInUse(protocol: InetProtocol, first: number, last: number): number[] {
  if (protocol === 'sctp') return [];
  const found = new Set<number>();
  for (const file of [protocol, `${protocol}6`]) {
    for (const line of readOr(`/proc/thread-self/net/${file}`).split('\n')) {
      // proc_net_tcp.rst: "sl: local_address:port remote_address:port state …" in hexadecimal; 0A listens.
      const match = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /.exec(line);
      const port = Number.parseInt(match?.[1] ?? '', 16);
      if (port >= first && port <= last && (protocol === 'udp' || match?.[2] === '0A')) found.add(port);
    }
  }
  return [...found].sort((a, b) => a - b);
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // No IPv6 in this kernel.
    return '';
  }
}

const cGetsockopt = bind<(fd: number, level: number, name: number, value: Buffer, size: Buffer) => number>(
  'getsockopt',
  'int',
  ['int', 'int', 'int', 'void *', 'void *'],
);
const IP6T_SO_ORIGINAL_DST = 80;

/** The port an IPv6 connection was meant for before a rule redirected it here; 0 when none did. */
export function originalPort6(fd: number): number {
  const address = Buffer.alloc(128);
  const size = Buffer.alloc(128);
  size.writeUInt32LE(28);
  if (cGetsockopt(fd, IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST, address, size) !== 0) return 0;
  return address.readUInt16BE(2);
}

/** The port a socket is bound to. */
export function boundPort(fd: number): number {
  const address = Buffer.alloc(128);
  const size = Buffer.alloc(128);
  size.writeUInt32LE(128);
  check(cGetsockname(fd, address, size), 'getsockname');
  return address.readUInt16BE(2);
}

/** sockaddr_in and sockaddr_in6, ip(7) and ipv6(7). */
function socketAddress(domain: number, bytes: Buffer, port: number): { sockaddr: Buffer; size: number } {
  if (port < 0 || port > 65535) throw new SystemError(ERRNO.EINVAL, 'bind', String(port));
  const sockaddr = Buffer.alloc(128);
  sockaddr.writeUInt16LE(domain, 0);
  sockaddr.writeUInt16BE(port, 2);
  bytes.copy(sockaddr, domain === AF_INET ? 4 : 8);
  return { sockaddr, size: domain === AF_INET ? 16 : 28 };
}
