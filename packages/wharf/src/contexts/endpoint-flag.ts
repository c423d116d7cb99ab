import { messageOf, WharfError } from '@wharf/kit/errors';
import { parseGoCsv } from '@wharf/kit/go-csv';
import { parseGoBoolean } from '@wharf/kit/go-numbers';
import type { readTlsFiles } from '@wharf/wire/docker-client/tls-files';
import type { ContextStore, DockerEndpointMeta, TlsMaterial } from './context-store.ts';

/** `--docker KEY=VALUE[,KEY=VALUE…]`. */
export const DOCKER_FLAG = {
  kind: 'list',
  type: 'stringToString',
  shownDefault: '[]',
  help: 'set the docker endpoint',
  parse: parsePairs,
} as const;

/** The table of `--docker`'s keys, for the help. */
export const ENDPOINT_KEYS_HELP = `Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation`;

const KEYS = ['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'];

function parsePairs(text: string): Readonly<Record<string, string>> {
  const equals = text.split('=').length - 1;
  const pairs = equals === 1 ? [text.replace(/^"|"$/g, '')] : equals === 0 ? [text] : parseGoCsv(text);
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 0) throw new Error(`${pair} must be formatted as key=value`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
}

/** The endpoint that `--docker` describes, with its certificates. Throws docker's words. */
export function endpointOf(
  flags: readonly Readonly<Record<string, string>>[],
  store: ContextStore,
): { readonly meta: DockerEndpointMeta; readonly tls: TlsMaterial } {
  try {
    return readEndpoint(Object.assign({}, ...flags) as Readonly<Record<string, string>>, store);
  } catch (error) {
    const message = `unable to create docker endpoint config: ${messageOf(error)}`;
    throw new WharfError('invalid-argument', message, { cause: error });
  }
}

function readEndpoint(config: Readonly<Record<string, string>>, store: ContextStore) {
  const unknown = Object.keys(config).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0) throw new Error(unknown.map((key) => `unrecognized config key: ${key}`).join('\n'));
  if (config['from'] !== undefined) {
    const { docker } = store.get(config['from']).Endpoints;
    if (docker === undefined) throw new Error(`unable to get endpoint from context "${config['from']}"`);
    return { meta: docker, tls: new Map() };
  }
  const files = tlsFiles(config);
  const meta = { ...(config['host'] ? { Host: config['host'] } : {}), SkipTLSVerify: skipVerify(config) };
  checkHost(config['host'] ?? '');
  const tls = new Map(files.length > 0 ? [['docker', new Map(files)] as const] : []);
  return { meta, tls };
}

function tlsFiles(config: Readonly<Record<string, string>>): readonly (readonly [string, Buffer])[] {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const files = ['ca', 'cert', 'key'].flatMap((key) => {
    const path = config[key];
    if (!path) return [];
    try {
      return [[`${key}.pem`, readFileSync(path)] as const];
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      throw new Error(`open ${path}: ${code === 'ENOENT' ? 'no such file or directory' : messageOf(error)}`);
    }
  });
  checkTls(Object.fromEntries(files.map(([name, content]) => [name.replace('.pem', ''), content])));
  return files;
}

function checkTls({ ca, cert, key }: Awaited<ReturnType<typeof readTlsFiles>>): void {
  const problem = 'invalid docker endpoint options: failed to retrieve context tls info';
  if (ca !== undefined && !ca.includes('-----BEGIN')) throw new Error(`${problem}: ca.pem seems invalid`);
  if (cert === undefined || key === undefined) return;
  if (!key.includes('-----BEGIN')) throw new Error('invalid docker endpoint options: no valid private key found');
  try {
    process.getBuiltinModule('node:tls').createSecureContext({ cert, key });
  } catch (error) {
    throw new Error(`${problem}: ${messageOf(error)}`);
  }
}

function skipVerify(config: Readonly<Record<string, string>>): boolean {
  const text = config['skip-tls-verify'];
  if (text === undefined) return false;
  try {
    return parseGoBoolean(text);
  } catch {
    throw new Error(`skip-tls-verify: parsing "${text}": invalid syntax`);
  }
}

function checkHost(host: string): void {
  if (host === '') return;
  if (!host.includes('://'))
    throw new Error(`unable to apply docker endpoint options: unable to parse docker host \`${host}\``);
  if (!host.startsWith('ssh://')) return;
  const url = URL.parse(host);
  const problem = 'invalid docker endpoint options: ssh host connection is not valid: invalid SSH URL';
  if (url === null || url.hostname === '') throw new Error(`${problem}: hostname is empty`);
  if (url.password !== '') throw new Error(`${problem}: plain-text password is not supported`);
  if (url.search !== '') throw new Error(`${problem}: query parameters are not allowed: "${url.search.slice(1)}"`);
  if (url.hash !== '') throw new Error(`${problem}: fragments are not allowed: "${url.hash.slice(1)}"`);
}
