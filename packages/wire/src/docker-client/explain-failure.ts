import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';
import { networkError } from '../http/network-error.ts';
import { ConnectionError } from './errors.ts';

/** A failure on the way to the daemon, in docker's words, with what to do. */
export function explainFailure(error: unknown, host: string, method: string, path: string): unknown {
  if (error instanceof WharfError || (error instanceof Error && error.name === 'AbortError')) return error;
  const isUnix = host.startsWith('unix://');
  const failures: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  if (isUnix && hasErrno(error, 'EACCES', 'EPERM')) {
    const at = `permission denied while trying to connect to the Docker daemon socket at ${host}`;
    const file = host.slice('unix://'.length);
    const verb = method.charAt(0) + method.slice(1).toLowerCase();
    return new ConnectionError(
      host,
      `${at}: ${verb} "http://${encodeURIComponent(file)}${path}": dial unix ${file}: connect: permission denied`,
      { kind: 'permission-denied', cause: error, hint: 'Run it as root, or join the group that owns the socket.' },
    );
  }
  if (
    failures.some((each) => hasErrno(each, 'ECONNREFUSED', 'ETIMEDOUT')) ||
    (isUnix && hasErrno(error, 'ENOENT', 'ENOTDIR'))
  ) {
    return new ConnectionError(host, `Cannot connect to the Docker daemon at ${host}. Is the docker daemon running?`, {
      cause: error,
      hint: 'Start it with wharfd, or say where it is with -H, WHARF_HOST or a context.',
    });
  }
  const url = URL.parse(`${host.replace(/^(?:tcp|ssh):/, 'http:')}${path}`);
  const why = url === null || isUnix ? messageOf(error) : networkError(method, url, error).message;
  const isTlsThere = /malformed HTTP response|no HTTP answer/.test(why) && !isUnix;
  return new ConnectionError(host, `error during connect: ${why}`, {
    cause: error,
    ...(isTlsThere ? { hint: 'Is this a daemon with TLS? Then say so with --tlsverify.' } : {}),
  });
}
