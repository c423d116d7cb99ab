import { familiarName, formatFamiliar, type Reference, WharfError } from '@wharf/kit';
import { statusOf } from '@wharf/oci/remote/registry-error';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { pullAccessDenied } from '@wharf/wire/docker/messages';

/** What dockerd says of a pull that failed, where clients know its words. */
export function pullError(reference: Reference, error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const status = statusOf(error);
  const name = formatFamiliar(reference);
  if (error.code === 'no-credentials') {
    return new WharfError('not-found', `${pullAccessDenied(familiarName(reference))}: ${error.message}`, {
      cause: error,
    });
  }
  if (status === 401 || status === 403) {
    return new WharfError('not-found', `${pullAccessDenied(familiarName(reference))}: ${deniedDetail(error, status)}`, {
      cause: error,
    });
  }
  if (status === 404) {
    return new WharfError('not-found', `failed to resolve reference "${name}": ${name}: not found`, { cause: error });
  }
  const code = error.code ?? '';
  if (['network', 'refused', 'no-host', 'http-on-tls', 'timeout'].includes(code)) {
    const message = `failed to resolve reference "${name}": failed to do request: ${error.message}`;
    return new WharfError('internal', message, { cause: error });
  }
  return error;
}

function deniedDetail(error: WharfError, status: number): string {
  const text = error.message.replace(/^(?:error from registry|failed to fetch oauth token): /, '');
  if (!text.startsWith('unexpected status')) return `${status === 401 ? 'unauthorized' : 'denied'}: ${text}`;
  return status === 401
    ? 'unauthorized: authentication required'
    : 'denied: requested access to the resource is denied';
}

/** No manifest of an index serves the platform. */
export function noMatch(platform: Platform): WharfError {
  const text = `no matching manifest for ${formatPlatform(platform)} in the manifest list entries`;
  return new WharfError('not-found', `${text}: no match for platform in manifest: not found`, { code: 'no-platform' });
}
