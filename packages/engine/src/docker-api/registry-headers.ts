import { credentialsOfAuth, type RegistryCredentials } from '@wharf/oci/remote/credentials';
import { decodeAuthConfig } from '@wharf/wire/docker/decode';
import type { ApiRequest } from '@wharf/wire/http/route';

const MAX_HEADER = 64 * 1024;

/**
 * The credentials of `X-Registry-Auth`: base64 (of either alphabet) of a JSON document. What cannot be read counts as absent, as
 * dockerd has it: old clients send all sorts.
 */
export function credentialsOf({ headers }: Pick<ApiRequest, 'headers'>): RegistryCredentials | undefined {
  const header = headers['x-registry-auth'];
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined || text === '' || text.length > MAX_HEADER) return undefined;
  try {
    const decoded: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (typeof decoded !== 'object' || decoded === null) return undefined;
    return credentialsOfAuth(decodeAuthConfig(decoded));
  } catch {
    return undefined;
  }
}

/** Headers that are handed on to the registry: `X-Meta-…`. */
export function metaHeadersOf({ headers }: Pick<ApiRequest, 'headers'>): Readonly<Record<string, string>> {
  const handed = Object.entries(headers).filter(([name]) => name.startsWith('x-meta-'));
  return Object.fromEntries(handed.map(([name, value]) => [name, String(value)]));
}
