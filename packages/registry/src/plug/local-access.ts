import { timingSafeEqual } from 'node:crypto';
import type { Access, Identity } from './access.ts';

/** The header by which the daemon shows its own registry that a request is its own. */
export const LOCAL_HEADER = 'x-wharf-local';

/**
 * Marks those requests as the daemon's that bear its secret; what they may do is for `access` to say, as ever. Others are not told by
 * anything that the registry shares its blobs with the daemon.
 */
export function localAccess(access: Access, secret: string): Access {
  const expected = Buffer.from(secret);
  const isLocal = (given: string | string[] | undefined): boolean => {
    if (typeof given !== 'string') return false;
    const bytes = Buffer.from(given);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  };
  // Identities may be shared between requests, so they are not written to.
  const mark = (identity: Identity): Identity => ({
    name: identity.name,
    anonymous: identity.anonymous,
    local: true,
    allows: (action, repository) => identity.allows(action, repository),
  });
  return {
    identify(request) {
      const identity = access.identify(request);
      if (!isLocal(request.headers[LOCAL_HEADER])) return identity;
      return identity instanceof Promise ? identity.then(mark) : mark(identity);
    },
    challenge: (wanted, request) => access.challenge(wanted, request),
  };
}
