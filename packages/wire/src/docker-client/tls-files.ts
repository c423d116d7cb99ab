import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit/errors';

/** PEM texts. */
export interface TlsFiles {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

interface TlsPaths {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** `ca.pem`, `cert.pem` and `key.pem` of a directory, as far as they are there; a path of its own must be. */
export function readTlsFiles(directory: string, paths: TlsPaths = {}): TlsFiles {
  const ca = read(paths.ca, directory, 'ca.pem');
  const cert = read(paths.cert, directory, 'cert.pem');
  const key = read(paths.key, directory, 'key.pem');
  return { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
}

function read(path: string | undefined, directory: string, name: string): Buffer | undefined {
  try {
    return readFileSync(path ?? join(directory, name));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    if (path === undefined) return undefined;
    throw new WharfError('not-found', `open ${path}: no such file or directory`, {
      cause: error,
      hint: `Say where the file is with --tls${name === 'ca.pem' ? 'cacert' : name.replace('.pem', '')}.`,
    });
  }
}
