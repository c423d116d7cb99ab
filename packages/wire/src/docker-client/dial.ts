import type { Duplex } from 'node:stream';
import { WharfError } from '@wharf/kit/errors';
import { parseHostSpec } from '../http/host-spec.ts';
import type { Endpoint, EndpointTls } from './endpoint.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

/** A way to the daemon. What is written before it stands is sent when it does. */
export interface Wire {
  /** Half-open: `end()` closes our side only. */
  readonly stream: Duplex;
  /** Whether the connection keeps the process alive. */
  hold(held: boolean): void;
}

/** Opens a connection; failures come as errors of the stream. Throws `invalid-argument` for addresses that make no sense. */
export async function dial({ host, tls }: Endpoint): Promise<Wire> {
  if (host.startsWith('ssh://')) return (await import('./dial-ssh.ts')).dialSsh(host);
  const spec = parseHostSpec(host.replace(/^(tcp:\/\/[^/]*)\/.*$/s, '$1'), { tls: tls !== undefined });
  const net = process.getBuiltinModule('node:net');
  if (spec.kind === 'fd') throw new WharfError('invalid-argument', `Cannot connect to "${host}"`);
  if (spec.kind === 'unix') {
    const stream = net.connect({ path: spec.path, allowHalfOpen: true });
    return { stream, hold: (held) => void (held ? stream.ref() : stream.unref()) };
  }
  const options = {
    host: spec.host,
    port: spec.port,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    noDelay: true,
  };
  const stream = tls === undefined ? net.connect(options) : secure(options, tls);
  const late = setTimeout(() => stream.destroy(timeout()), DOCKER_CLIENT_LIMITS.connectMs);
  late.unref();
  stream.once(tls === undefined ? 'connect' : 'secureConnect', () => clearTimeout(late));
  stream.once('close', () => clearTimeout(late));
  return { stream, hold: (held) => void (held ? stream.ref() : stream.unref()) };
}

function secure(options: { readonly host: string; readonly port: number }, { skipVerify, ...files }: EndpointTls) {
  const tls = process.getBuiltinModule('node:tls');
  const isName = process.getBuiltinModule('node:net').isIP(options.host) === 0;
  return tls.connect({
    ...options,
    ...files,
    ...(isName ? { servername: options.host } : {}),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !skipVerify,
  });
}

function timeout(): Error {
  return Object.assign(new Error('i/o timeout'), { code: 'ETIMEDOUT' });
}
