import { existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { WharfError } from '@wharf/kit';
import { UsageError } from '../cli/errors.ts';
import { csvFields } from './csv.ts';
import { MAX_SECRET_BYTES } from './limits.ts';

/** Where a secret's value is found when a step asks for it. */
export type SecretSource = { readonly file: string } | { readonly env: string };

/** An agent that is lent: a socket of one that runs, or keys for one to be started. */
export type AgentSource = { readonly socket: string } | { readonly keys: readonly string[] };

/** Reads `--secret`. A file that is missing is an error at once. Throws UsageError. */
export function parseSecrets(given: readonly string[], env = process.env): ReadonlyMap<string, SecretSource> {
  const secrets = new Map<string, SecretSource>();
  for (const text of given) {
    if (text === '') continue;
    const fields: Record<string, string> = {};
    for (const field of csvFields(text)) {
      const [key = '', ...rest] = field.split('=');
      if (rest.length === 0) throw new UsageError(`invalid field '${field}' must be a key=value pair`);
      fields[key.toLowerCase()] = rest.join('=');
    }
    const { id, type, src, source = src, env: variable, ...unknown } = fields;
    const [extra] = Object.keys(unknown);
    if (extra !== undefined) throw new UsageError(`unexpected key '${extra}' in '${extra}=${unknown[extra]}'`);
    if (type !== undefined && type !== 'file' && type !== 'env')
      throw new UsageError(`unsupported secret type "${type}"`);
    if (id === undefined || id === '')
      throw new UsageError(`secret missing ID: ${text}`, 'Give it one: --secret id=NAME,src=FILE');
    secrets.set(id, secretSource({ id, type, source, variable }, env));
  }
  return secrets;
}

function secretSource(
  {
    id,
    type,
    source,
    variable,
  }: {
    readonly id: string;
    readonly type: string | undefined;
    readonly source: string | undefined;
    readonly variable: string | undefined;
  },
  env: NodeJS.ProcessEnv,
): SecretSource {
  if (variable !== undefined) return { env: variable };
  if (type === 'env') return { env: source ?? id };
  // Without either, a variable of its name, or else a file of its name.
  if (source === undefined && type !== 'file' && env[id] !== undefined) return { env: id };
  const file = expandHome(source ?? id);
  const status = statSync(file, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new WharfError('not-found', `Cannot lend secret "${id}": there is no file "${file}"`, {
      hint: `Name its file with --secret id=${id},src=FILE, or a variable with --secret id=${id},env=NAME.`,
    });
  }
  if (status.size > MAX_SECRET_BYTES) {
    throw new WharfError(
      'invalid-argument',
      `Cannot lend secret "${id}": "${file}" is larger than ${MAX_SECRET_BYTES} bytes`,
    );
  }
  return { file };
}

/** The value of a secret; `undefined` for a variable that is not set. */
export function secretValue(source: SecretSource, env = process.env): Uint8Array | undefined {
  if ('file' in source) return readFileSync(source.file);
  const value = env[source.env];
  return value === undefined ? undefined : Buffer.from(value);
}

/** Reads `--ssh`: `default`, `ID=SOCKET`, `ID=KEY,KEY`. Throws UsageError. */
export function parseAgents(given: readonly string[], env = process.env): ReadonlyMap<string, AgentSource> {
  const agents = new Map<string, AgentSource>();
  for (const text of given) {
    const [id = '', ...rest] = text.split('=');
    const paths = rest
      .join('=')
      .split(',')
      .filter((path) => path !== '')
      .map(expandHome);
    if (agents.has(id || 'default')) throw new UsageError(`invalid duplicate ssh key id "${id || 'default'}"`);
    agents.set(id || 'default', agentSource(id || 'default', paths, env));
  }
  return agents;
}

function agentSource(id: string, paths: readonly string[], env: NodeJS.ProcessEnv): AgentSource {
  const places = paths.length > 0 ? paths : [env['SSH_AUTH_SOCK'] ?? ''];
  const [first = ''] = places;
  if (first === '') {
    throw new UsageError(
      'invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set',
      `Start an agent, or lend a key: --ssh ${id}=$HOME/.ssh/id_ed25519`,
    );
  }
  const missing = places.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`Cannot lend ssh key "${id}": there is no "${missing}"`);
  if (statSync(first).isSocket()) {
    if (places.length > 1) throw new UsageError('only single socket allowed');
    return { socket: first };
  }
  return { keys: places };
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}
