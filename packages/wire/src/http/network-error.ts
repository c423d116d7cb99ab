import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';

/**
 * What went wrong on the way to a server, in the words of Go's client: `Get "https://x/v2/": dial tcp 127.0.0.1:5000: connect:
 * connection refused`. Scripts and people know these.
 */
export function networkError(method: string, url: URL, cause: unknown): WharfError {
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new WharfError('unavailable', `${verb} "${url.href}": ${reasonOf(cause, url)}`, {
    code: codeOf(cause),
    cause,
  });
}

/** Stable names of the cases callers treat differently. */
function codeOf(error: unknown): string {
  const inner = innerOf(error);
  if (isPlainHttp(inner)) return 'http-on-tls';
  if (hasErrno(inner, 'ECONNREFUSED')) return 'refused';
  if (hasErrno(inner, 'ENOTFOUND')) return 'no-host';
  // Trying again does not make a certificate better.
  if (isCertificate(inner)) return 'certificate';
  return 'network';
}

const AUTHORITY = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

function isCertificate(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return AUTHORITY.has(code) || /^CERT_|^ERR_TLS_CERT_/.test(code);
}

function reasonOf(error: unknown, url: URL): string {
  const inner = innerOf(error);
  const code = typeof inner === 'object' && inner !== null && 'code' in inner ? String(inner.code) : '';
  if (isPlainHttp(inner)) return 'http: server gave HTTP response to HTTPS client';
  if (AUTHORITY.has(code)) return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`;
  }
  const target = targetOf(inner) ?? url.host;
  if (code === 'ECONNREFUSED') return `dial tcp ${target}: connect: connection refused`;
  if (code === 'ENETUNREACH') return `dial tcp ${target}: connect: network is unreachable`;
  if (code === 'EHOSTUNREACH') return `dial tcp ${target}: connect: no route to host`;
  if (code === 'ETIMEDOUT') return `dial tcp ${target}: i/o timeout`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${url.hostname}: no such host`;
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`;
  if (code === 'ECONNRESET' && /hang up/.test(messageOf(inner))) return 'EOF';
  if (code === 'ECONNRESET') return `read tcp ${target}: read: connection reset by peer`;
  if (code === 'EPIPE') return `write tcp ${target}: write: broken pipe`;
  if (code.startsWith('HPE_')) return `net/http: malformed HTTP response: ${messageOf(inner)}`;
  return messageOf(inner);
}

/** Where a name has several addresses each had its own failure; the first of IPv4 tells the most. */
function innerOf(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const failures: readonly unknown[] = error.errors;
  return failures.find((each) => /^\d/.test(targetOf(each) ?? '')) ?? failures[0] ?? error;
}

function targetOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('address' in error) || !('port' in error)) return undefined;
  const address = String(error.address);
  return `${address.includes(':') ? `[${address}]` : address}:${String(error.port)}`;
}

function isPlainHttp(error: unknown): boolean {
  return hasErrno(error, 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    ? /wrong version number|packet length too long|http request/i.test(messageOf(error))
    : false;
}
