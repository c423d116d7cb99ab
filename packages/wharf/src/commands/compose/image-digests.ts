import { messageOf, WharfError } from '@wharf/kit/errors';
import { parseReference } from '@wharf/kit/reference';
import { DockerConfig } from '../../client-config/docker-config.ts';
import type { ComposeSession } from './session.ts';

interface Distribution {
  readonly Descriptor: { readonly digest: string };
}

/** Asks the daemon for the digest that a reference has in its registry now. */
export async function digestResolver(session: ComposeSession): Promise<(reference: string) => Promise<string>> {
  const client = await session.client();
  const config = new DockerConfig();
  return async (reference) => {
    const headers = { 'X-Registry-Auth': await config.registryAuth(parseReference(reference).domain) };
    try {
      const path = `/distribution/${encodeURI(reference)}/json`;
      const { Descriptor } = await client.json<Distribution>('GET', path, { headers, signal: session.signal });
      return Descriptor.digest;
    } catch (error) {
      if (session.signal.aborted) throw error;
      throw new WharfError('unavailable', `failed to resolve digest for ${reference}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
}
