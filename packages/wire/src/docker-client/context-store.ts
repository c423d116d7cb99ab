import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { readTlsFiles, type TlsFiles } from './tls-files.ts';

/** Where a context's documents are: `meta` holds meta.json, `tls` a directory per endpoint. */
export function contextPaths(name: string, configDirectory: string): { readonly meta: string; readonly tls: string } {
  const { hash } = process.getBuiltinModule('node:crypto');
  const id = hash('sha256', name, 'hex');
  const root = join(configDirectory, 'contexts');
  return { meta: join(root, 'meta', id), tls: join(root, 'tls', id) };
}

/** The daemon a context leads to. Throws `not-found` in docker's words. */
export function readContextEndpoint(
  name: string,
  configDirectory: string,
): { readonly host: string; readonly skipVerify: boolean; readonly tls: TlsFiles } {
  const { meta, tls } = contextPaths(name, configDirectory);
  const document = readMeta(name, join(meta, 'meta.json'));
  const { Host: host = '', SkipTLSVerify: skipVerify = false } = document.Endpoints?.docker ?? {};
  if (host === '') {
    throw new WharfError('invalid-argument', `context "${name}": no docker endpoint in it`, {
      hint: `Make it anew: wharf context update ${name} --docker host=HOST`,
    });
  }
  return { host, skipVerify, tls: readTlsFiles(join(tls, 'docker')) };
}

interface Meta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify?: boolean } };
}

function readMeta(name: string, path: string): Meta {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Meta;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new WharfError('not-found', `context "${name}": context not found: open ${path}: no such file or directory`, {
      cause: error,
      hint: 'See `wharf context ls`; unset DOCKER_CONTEXT, or say where the daemon is with -H.',
    });
  }
}
