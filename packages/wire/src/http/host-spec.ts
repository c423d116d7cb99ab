import { WharfError } from '@wharf/kit/errors';

/** Where a daemon listens or a client connects, taken apart. */
export type HostSpec =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'fd'; readonly fd: number };

/** `sun_path` less its final zero (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/** dockerd's registered ports, without and with TLS. */
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

function refuse(text: string, why: string): WharfError {
  return new WharfError('invalid-argument', `Cannot use host "${text}": ${why}`);
}

/** Parses `unix:///run/x.sock`, `tcp://host:port`, `fd://` and `fd://4`. Throws `invalid-argument`. */
export function parseHostSpec(text: string, { tls = false }: { readonly tls?: boolean } = {}): HostSpec {
  const match = /^(unix|tcp|http|https|fd):\/\/(.*)$/s.exec(text);
  const [scheme, rest = ''] = [match?.[1], match?.[2]];
  if (scheme === 'unix') return parseUnix(text, rest);
  if (scheme === 'fd') return parseFd(text, rest);
  if (scheme === undefined) throw refuse(text, 'it must start with unix://, tcp:// or fd://');
  const address = /^(\[[0-9a-fA-F:.%a-z]+\]|[^:/[\]]*)(?::(\d{1,5}))?\/?$/.exec(rest);
  const port = Number(address?.[2] ?? (tls ? TLS_PORT : PLAIN_PORT));
  if (!address || port > 65_535) throw refuse(text, 'it is not tcp://HOST:PORT');
  return { kind: 'tcp', host: (address[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1', port };
}

function parseUnix(text: string, path: string): HostSpec {
  if (!path.startsWith('/')) throw refuse(text, 'the path must be absolute');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw refuse(text, `the path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return { kind: 'unix', path };
}

/** Sockets passed by systemd start at 3 (sd_listen_fds(3)). */
function parseFd(text: string, rest: string): HostSpec {
  if (rest === '') return { kind: 'fd', fd: 3 };
  if (!/^\d{1,5}$/.test(rest)) throw refuse(text, 'it must be fd:// or fd://NUMBER');
  return { kind: 'fd', fd: Number(rest) };
}
