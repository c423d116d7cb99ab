import { messageOf, WharfError } from '@wharf/kit';
import { credentialsOfAuth, type RegistryCredentials } from '@wharf/oci/remote/credentials';
import { decodeAuthConfig } from '@wharf/wire/docker/decode';
import type { ApiRequest } from '@wharf/wire/http/route';

const MAX_HEADER = 256 * 1024;

/**
 * The credentials of `X-Registry-Config`: base64 (of either alphabet) of a JSON document from server to credentials. Returns them by an
 * image's registry. Throws `invalid-argument` for a header that cannot be read.
 */
export function buildCredentials({
  headers,
}: Pick<ApiRequest, 'headers'>): (registry: string) => RegistryCredentials | undefined {
  const given = headers['x-registry-config'];
  const text = Array.isArray(given) ? given[0] : given;
  if (text === undefined || text === '') return () => undefined;
  const byHost = new Map<string, RegistryCredentials>();
  for (const [server, value] of Object.entries(read(text))) {
    const found = credentialsOfAuth(decodeAuthConfig(value));
    // What is written out in full wins over what only has the same host.
    if (found !== undefined && (server === hostOf(server) || !byHost.has(hostOf(server)))) {
      byHost.set(hostOf(server), found);
    }
  }
  return (registry) => byHost.get(hostOf(registry));
}

function read(text: string): object {
  if (text.length > MAX_HEADER) {
    throw new WharfError('invalid-argument', `X-Registry-Config is larger than ${MAX_HEADER} bytes`);
  }
  try {
    const decoded: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    // Go clients without credentials send `null`.
    if (decoded === null) return {};
    if (typeof decoded === 'object') return decoded;
    throw new Error('it is no JSON object');
  } catch (cause) {
    throw new WharfError('invalid-argument', `Cannot read X-Registry-Config: ${messageOf(cause)}`, { cause });
  }
}

/** The host of a server as clients write it (`https://index.docker.io/v1/`); Docker Hub goes by the name images bear. */
function hostOf(server: string): string {
  const host = server.replace(/^https?:\/\//i, '').split('/')[0] ?? '';
  return /^(?:index|registry-1)\.docker\.io$/.test(host) ? 'docker.io' : host;
}
