import { type Reference, WharfError } from '@wharf/kit';
import { statusOf } from '@wharf/oci/remote/registry-error';

/** What dockerd says of a push that failed, where clients know its words. */
export function pushError(_reference: Reference, error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const status = statusOf(error);
  if (error.code === 'no-credentials' || (status === 401 && error.code === 'token-refused')) {
    return new WharfError('unauthenticated', error.message, { cause: error });
  }
  if (['network', 'refused', 'no-host', 'http-on-tls', 'timeout'].includes(error.code ?? '')) {
    return new WharfError('internal', `failed to do request: ${error.message}`, { cause: error });
  }
  return error;
}
