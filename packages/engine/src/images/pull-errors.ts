import { familiarName, formatCanonical, type Reference, WharfError } from '@wharf/kit';
import { faultsOf, statusOf } from '@wharf/oci/remote/registry-error';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { pullAccessDenied } from '@wharf/wire/docker/messages';

/** What dockerd says when a name cannot be resolved, where clients know its words. */
export function resolveError(reference: Reference, error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const name = formatCanonical(reference);
  const prefix = `failed to resolve reference "${name}"`;
  if (statusOf(error) === 404) return new WharfError('not-found', `${prefix}: ${name}: not found`, { cause: error });
  const access = accessError(reference, error);
  if (access !== undefined) return access;
  if (NETWORK.has(error.code ?? '')) {
    return new WharfError('internal', `${prefix}: failed to do request: ${error.message}`, { cause: error });
  }
  return error.kind === 'unavailable'
    ? new WharfError('internal', `${prefix}: ${error.message}`, { cause: error })
    : error;
}

/** The same when it is the list of tags that cannot be had. */
export function tagsError(reference: Reference, error: unknown): unknown {
  if (statusOf(error) !== 404) return resolveError(reference, error);
  const [fault] = faultsOf(error);
  const code = (fault?.code || 'NAME_UNKNOWN').toLowerCase().replaceAll('_', ' ');
  const message = fault?.message || 'repository name not known to registry';
  const text = `repository ${familiarName(reference)} not found: ${code}: ${message}`;
  return new WharfError('not-found', text, { cause: error });
}

/** The same for what fails after that. */
export function pullError(reference: Reference, error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const access = accessError(reference, error);
  if (access !== undefined) return access;
  if (statusOf(error) === 404) {
    return new WharfError(
      'not-found',
      `failed to copy: could not fetch content from remote: ${error.message}: not found`,
      {
        cause: error,
      },
    );
  }
  return error.kind === 'unavailable'
    ? new WharfError('internal', `failed to copy: ${error.message}`, { cause: error })
    : error;
}

const NETWORK = new Set(['network', 'refused', 'no-host', 'http-on-tls', 'certificate', 'timeout']);

function accessError(reference: Reference, error: WharfError): WharfError | undefined {
  const status = statusOf(error);
  if (error.code === 'no-credentials') {
    return new WharfError('not-found', `${pullAccessDenied(familiarName(reference))}: ${error.message}`, {
      cause: error,
    });
  }
  if (status !== 401 && status !== 403) return undefined;
  const message = `${pullAccessDenied(familiarName(reference))}: ${deniedDetail(error, status)}`;
  return new WharfError('not-found', message, { cause: error });
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
