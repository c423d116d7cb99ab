import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import type { TlsChoice } from '@wharf/wire/http/web-client';
import { CONFIG_FILE_BYTES } from './limits.ts';

/** One object for each content, since connections are pooled by it. */
const known = new Map<string, TlsChoice>();
const MAX_KNOWN = 256;

/** The shared object for these settings. */
export function tlsChoice(choice: TlsChoice): TlsChoice {
  const key = createHash('sha256').update(JSON.stringify(choice)).digest('base64');
  const there = known.get(key);
  if (there !== undefined) return there;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, choice);
  return choice;
}

/**
 * What a directory in Docker's layout holds: `*.crt` are authorities to trust, `NAME.cert` with `NAME.key` is the client's own
 * certificate. `undefined` when there is no such directory. Throws `failed-precondition` for a pair of which half is missing.
 */
export async function readCertificates(directory: string): Promise<TlsChoice | undefined> {
  let names: readonly string[];
  try {
    names = (await readdir(directory)).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const ca: string[] = [];
  let pair: { readonly cert: string; readonly key: string } | undefined;
  for (const name of names) {
    if (name.endsWith('.crt')) ca.push(await readPem(join(directory, name)));
    if (name.endsWith('.key') && !names.includes(`${name.slice(0, -4)}.cert`)) {
      throw half('certificate', `${name.slice(0, -4)}.cert`, name, directory);
    }
    if (!name.endsWith('.cert')) continue;
    const key = `${name.slice(0, -5)}.key`;
    if (!names.includes(key)) throw half('key', key, name, directory);
    pair ??= { cert: await readPem(join(directory, name)), key: await readPem(join(directory, key)) };
  }
  return { ...(ca.length === 0 ? {} : { ca }), ...pair };
}

function half(what: string, missing: string, given: string, directory: string): WharfError {
  return new WharfError(
    'failed-precondition',
    `missing client ${what} ${missing} for ${what === 'key' ? 'cert' : 'key'} ${given} in ${directory}`,
  );
}

/** Reads one PEM file. Throws `failed-precondition`. */
export async function readPem(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > CONFIG_FILE_BYTES) throw new Error(`it has ${size} bytes`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new WharfError('failed-precondition', `Cannot read certificate "${path}": ${messageOf(cause)}`, { cause });
  }
}
