import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { readPem } from './certificates.ts';
import { parseToml, type TomlTable, type TomlValue } from './toml.ts';

export interface HostEntry {
  /** With scheme. */
  readonly address: string;
  readonly capabilities: readonly string[];
  /** The address is the whole prefix of requests; nothing is put between it and the repository. */
  readonly overridePath: boolean;
  readonly skipVerify: boolean;
  readonly ca: readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rewrites: readonly { readonly pattern: RegExp; readonly replacement: string }[];
}

export interface HostsFile {
  /** In the order they are tried. */
  readonly hosts: readonly HostEntry[];
  /** The registry itself, tried last; absent when the file names none. */
  readonly server?: HostEntry;
}

const ALL = ['pull', 'resolve', 'push'];

/**
 * Reads `hosts.toml` of a directory, in containerd's form, with one addition: a table `rewrite` of patterns and replacements for
 * repository names. `undefined` without the file. Throws `failed-precondition` for one that cannot be used.
 */
export async function readHostsFile(directory: string): Promise<HostsFile | undefined> {
  const path = join(directory, 'hosts.toml');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const table = parseToml(text);
    const hosts: HostEntry[] = [];
    for (const [address, entry] of Object.entries(tableOf(table['host'], 'host'))) {
      hosts.push(await entryOf(address, tableOf(entry, address), directory));
    }
    const server = textOf(table['server'], 'server');
    return { hosts, ...(server === undefined ? {} : { server: await entryOf(server, table, directory) }) };
  } catch (cause) {
    throw new WharfError('failed-precondition', `Cannot use "${path}": ${messageOf(cause)}`, { cause });
  }
}

async function entryOf(given: string, table: TomlTable, directory: string): Promise<HostEntry> {
  const address = given.includes('://') ? given : `https://${given}`;
  if (!/^https?:$/.test(URL.parse(address)?.protocol ?? '')) throw new Error(`"${given}" is no http or https address`);
  const capabilities = table['capabilities'] === undefined ? ALL : textsOf(table['capabilities'], 'capabilities');
  const unknown = capabilities.find((each) => !ALL.includes(each));
  if (unknown !== undefined) throw new Error(`"${unknown}" is no capability: there are ${ALL.join(', ')}`);
  const pem = (path: string) => readPem(isAbsolute(path) ? path : join(directory, path));
  const ca: string[] = [];
  for (const path of textsOf(table['ca'], 'ca')) ca.push(await pem(path));
  return {
    address: address.replace(/\/+$/, ''),
    capabilities,
    overridePath: table['override_path'] === true,
    skipVerify: table['skip_verify'] === true,
    ca,
    ...(await clientOf(table['client'], pem)),
    headers: headersOf(table['header']),
    rewrites: rewritesOf(table['rewrite']),
  };
}

/** `"file"`, `["file", …]` or `[["cert", "key"], …]`: the first is used. */
async function clientOf(
  value: TomlValue | undefined,
  pem: (path: string) => Promise<string>,
): Promise<{ readonly cert?: string; readonly key?: string }> {
  if (value === undefined) return {};
  const first = Array.isArray(value) ? (value as readonly TomlValue[])[0] : value;
  const [certPath, keyPath] = Array.isArray(first) ? textsOf(first, 'client') : [textOf(first, 'client')];
  if (certPath === undefined) return {};
  const cert = await pem(certPath);
  return { cert, key: keyPath === undefined || keyPath === '' ? cert : await pem(keyPath) };
}

function headersOf(value: TomlValue | undefined): Readonly<Record<string, string>> {
  const entries = Object.entries(tableOf(value, 'header'));
  return Object.fromEntries(entries.map(([name, each]) => [name.toLowerCase(), textsOf(each, name).join(', ')]));
}

function rewritesOf(value: TomlValue | undefined): HostEntry['rewrites'] {
  return Object.entries(tableOf(value, 'rewrite')).map(([pattern, replacement]) => ({
    pattern: new RegExp(pattern),
    replacement: textOf(replacement, pattern) ?? '',
  }));
}

function tableOf(value: TomlValue | undefined, name: string): TomlTable {
  if (value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`"${name}" is no table`);
  return value as TomlTable;
}

function textOf(value: TomlValue | undefined, name: string): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new Error(`"${name}" is no string`);
}

function textsOf(value: TomlValue | undefined, name: string): readonly string[] {
  if (value === undefined) return [];
  const list: readonly TomlValue[] = Array.isArray(value) ? (value as readonly TomlValue[]) : [value];
  return list.map((each) => textOf(each, name) ?? '');
}
