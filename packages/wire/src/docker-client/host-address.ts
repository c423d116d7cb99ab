import { WharfError } from '@wharf/kit/errors';

/**
 * A daemon's address as docker reads it: `host:port` is tcp, an absent host is localhost, an absent port 2375, an absent socket the
 * usual one. Throws `invalid-argument` in docker's words.
 */
export function normalizeHost(text: string): string {
  const address = text.trim();
  const at = address.indexOf('://');
  const [scheme, rest] = at < 0 ? ['tcp', address] : [address.slice(0, at), address.slice(at + 3)];
  switch (scheme) {
    case 'tcp':
      return normalizeTcp(rest);
    case 'unix':
      if (rest.includes('://')) throw refuse(`invalid proto, expected unix: ${rest}`);
      return `unix://${rest || '/var/run/docker.sock'}`;
    case 'fd':
    case 'ssh':
    case 'http':
    case 'https':
      return address;
    default:
      throw refuse(`invalid bind address format: ${address}`);
  }
}

function normalizeTcp(text: string): string {
  if (text === '') return 'tcp://localhost:2375';
  if (text.includes('://')) throw refuse(`invalid proto, expected tcp: ${text}`);
  const match = /^(\[[^\]]*\]|[^:/[\]]*)(?::(\d{0,5}))?(\/.*)?$/.exec(text);
  if (match === null) throw refuse(`invalid bind address format: ${text}`);
  return `tcp://${match[1] || 'localhost'}:${match[2] || '2375'}${match[3] ?? ''}`;
}

function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message, {
    hint: 'An address is unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST.',
  });
}
