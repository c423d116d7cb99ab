import { WharfError } from '@wharf/kit';
import { statusOf } from '@wharf/oci/remote/registry-error';

/** What dockerd says of a push that failed, where clients know its words. */
export function pushError(error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const status = statusOf(error);
  if (error.code === 'no-credentials') {
    const message = `push access denied, repository does not exist or may require authorization: authorization failed: ${error.message}`;
    return new WharfError('unauthenticated', message, { cause: error });
  }
  if (status === 401 || status === 403) {
    const text = error.message.replace(/^(?:error from registry|failed to fetch oauth token): /, '');
    const plain = status === 401 ? 'authentication required' : 'requested access to the resource is denied';
    const detail = text.startsWith('unexpected status') ? plain : text;
    const [kind, word] =
      status === 401 ? (['unauthenticated', 'unauthorized'] as const) : (['permission-denied', 'denied'] as const);
    return new WharfError(kind, `${word}: ${detail}`, { cause: error });
  }
  if (['network', 'refused', 'no-host', 'http-on-tls', 'certificate', 'timeout'].includes(error.code ?? '')) {
    return new WharfError('internal', `failed to do request: ${error.message}`, { cause: error });
  }
  return error;
}
