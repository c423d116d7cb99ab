import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import {
  createConnection,
  createServer,
  type ListenOptions as NetListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import { dirname } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { type HostSpec, parseHostSpec } from './host-spec.ts';
import type { Listening } from './socket-host.ts';

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** PEM of the authorities that clients' certificates are checked against. */
  readonly ca?: string | undefined;
  /** Refuse clients without a certificate of `ca`; `optional` asks for one and serves those without too. */
  readonly verify?: boolean | 'optional' | undefined;
}

export interface ListenOptions {
  /** Who may use a unix socket: a group's name or number. The socket's mode is 0660. */
  readonly group?: string | number | undefined;
  /** Paths; only for `tcp://`. */
  readonly tls?: TlsFiles | undefined;
}

type OnSocket = (socket: Socket) => void;

/** Opens one listening socket. Throws `already-exists`, `invalid-argument`, or what the kernel said as `unavailable`. */
export async function openListener(host: string, options: ListenOptions, onSocket: OnSocket): Promise<Listening> {
  const spec = parseHostSpec(host, { tls: options.tls !== undefined });
  const { server, renewCertificate } = await makeServer(spec, options, onSocket);
  try {
    if (spec.kind === 'unix') await listenUnix(server, spec.path, options.group);
    else if (spec.kind === 'fd') await bind(server, { fd: spec.fd });
    else await bind(server, { host: spec.host, port: spec.port });
  } catch (error) {
    if (error instanceof WharfError) throw error;
    const taken = hasErrno(error, 'EADDRINUSE');
    const reason = taken ? 'the address is in use' : messageOf(error);
    throw new WharfError(taken ? 'already-exists' : 'unavailable', `Cannot listen on "${host}": ${reason}`, {
      cause: error,
    });
  }
  return { host: actualHost(host, spec, server), server, renewCertificate };
}

function actualHost(host: string, spec: HostSpec, server: Server): string {
  const address = server.address();
  if (spec.kind !== 'tcp' || address === null || typeof address === 'string') return host;
  return `tcp://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}

async function makeServer(
  spec: HostSpec,
  { tls }: ListenOptions,
  onSocket: OnSocket,
): Promise<Pick<Listening, 'server' | 'renewCertificate'>> {
  if (!tls || spec.kind !== 'tcp') {
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, onSocket);
    return { server, renewCertificate: () => {} };
  }
  const { createServer: createTlsServer } = await import('node:tls');
  const server = createTlsServer(
    {
      ...secrets(tls),
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      requestCert: tls.verify === true || tls.verify === 'optional',
      rejectUnauthorized: tls.verify === true,
      handshakeTimeout: 30_000,
    },
    onSocket,
  );
  // All of it is read before any of it is taken over: a half-written pair leaves the old one in place.
  return { server, renewCertificate: () => server.setSecureContext(secrets(tls)) };
}

function secrets({ cert, key, ca }: TlsFiles) {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    minVersion: 'TLSv1.2' as const,
  };
}

type BindTarget = Pick<NetListenOptions, 'host' | 'port' | 'path'> | { readonly fd: number };

function bind(server: Server, options: BindTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ backlog: 1024, ...options }, () => {
      server.off('error', reject);
      // Accept may fail for want of descriptors; the socket goes on listening.
      server.on('error', () => {});
      resolve();
    });
  });
}

async function listenUnix(server: Server, path: string, group: string | number | undefined): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const gid = group === undefined ? undefined : groupId(group);
  await removeStaleSocket(path);
  // The socket is made by a synchronous bind(2) within listen(): nobody can connect before it has its mode and group.
  const before = process.umask(0o177);
  let bound: Promise<void>;
  try {
    bound = bind(server, { path });
  } finally {
    process.umask(before);
  }
  await bound;
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, 0o660);
}

/** Removes a socket nobody answers on. Throws `already-exists` when somebody does, or when the path is no socket. */
async function removeStaleSocket(path: string): Promise<void> {
  const state = await probe(path);
  if (state === 'absent') return;
  if (state === 'alive') {
    throw new WharfError('already-exists', `Cannot listen on "${path}": another daemon is listening there`, {
      hint: 'stop it, or choose another --host',
    });
  }
  if (state === 'other') {
    throw new WharfError('already-exists', `Cannot listen on "${path}": a file that is no socket is there`);
  }
  unlinkSync(path);
}

async function probe(path: string): Promise<'absent' | 'alive' | 'stale' | 'other'> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'absent';
  // connect(2) says ECONNREFUSED for a plain file too, which must not be taken for a stale socket.
  if (!stat.isSocket()) return 'other';
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve('alive');
    });
    socket.once('error', (error) => {
      if (hasErrno(error, 'ENOENT')) resolve('absent');
      else if (hasErrno(error, 'ECONNREFUSED')) resolve('stale');
      else if (hasErrno(error, 'EAGAIN')) resolve('alive');
      else reject(error);
    });
  });
}

/** The number of a group in /etc/group (group(5)). Throws `invalid-argument` for an unknown name. */
function groupId(group: string | number): number {
  if (typeof group === 'number') return group;
  if (/^\d+$/.test(group)) return Number(group);
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [name, , id] = line.split(':');
    if (name === group && id !== undefined) return Number(id);
  }
  throw new WharfError('invalid-argument', `Cannot give the socket to group "${group}": there is no such group`);
}
