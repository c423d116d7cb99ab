import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import type { PluginAddress, PluginTls } from './client.ts';

/** Where plugins announce themselves: sockets in the first, files that name addresses in the others. */
export interface PluginDirectories {
  readonly sockets: readonly string[];
  readonly specs: readonly string[];
}

export const DOCKER_PLUGIN_DIRECTORIES: PluginDirectories = {
  sockets: ['/run/docker/plugins'],
  specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'],
};

/**
 * Finds plugins as dockerd does: `NAME.sock`, then `NAME.spec` (an address), then `NAME.json`; each of them also in a
 * directory `NAME`. Nothing is kept: a plugin is there when its file is.
 */
export class PluginDirectory {
  readonly #directories: PluginDirectories;

  constructor(directories: PluginDirectories) {
    this.#directories = directories;
  }

  /** Throws `invalid-argument` for a file that cannot be understood. */
  find(name: string): PluginAddress | undefined {
    if (name === '' || name.includes('/') || name.includes('\0') || name.startsWith('.')) return undefined;
    const { sockets, specs } = this.#directories;
    for (const path of candidates(sockets, name, ['sock'])) {
      if (statSync(path, { throwIfNoEntry: false })?.isSocket() === true) return { name, address: `unix://${path}` };
    }
    for (const path of candidates(specs, name, ['spec', 'json'])) {
      const text = readIfThere(path);
      if (text !== undefined)
        return path.endsWith('.json') ? parseJsonFile(name, path, text) : { name, address: text.trim() };
    }
    return undefined;
  }

  /** The names of all plugins there are, of whatever kind. */
  names(): readonly string[] {
    const names = new Set<string>();
    const { sockets, specs } = this.#directories;
    for (const [directories, extension] of [
      [sockets, /\.sock$/],
      [specs, /\.(?:spec|json)$/],
    ] as const) {
      for (const directory of directories) for (const name of namesIn(directory, extension)) names.add(name);
    }
    return [...names].filter((name) => this.#isFound(name)).sort();
  }

  #isFound(name: string): boolean {
    try {
      return this.find(name) !== undefined;
    } catch {
      return false;
    }
  }
}

function candidates(directories: readonly string[], name: string, extensions: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    extensions.flatMap((extension) => [
      join(directory, `${name}.${extension}`),
      join(directory, name, `${name}.${extension}`),
    ]),
  );
}

function namesIn(directory: string, extension: RegExp): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || extension.test(entry.name))
      .map(({ name }) => name.replace(extension, ''));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) return [];
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

function parseJsonFile(name: string, path: string, text: string): PluginAddress {
  try {
    const { Addr, TLSConfig } = JSON.parse(text) as { readonly Addr?: unknown; readonly TLSConfig?: unknown };
    if (typeof Addr !== 'string') throw new Error('it has no "Addr"');
    return { name, address: Addr, ...(TLSConfig ? { tls: parseTls(TLSConfig) } : {}) };
  } catch (cause) {
    throw new WharfError('invalid-argument', `Cannot read the plugin file "${path}": ${String(cause)}`, { cause });
  }
}

function parseTls(value: unknown): PluginTls {
  const field = (name: string) => (value as Record<string, unknown>)[name];
  const text = (name: string) => {
    const found = field(name);
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  return {
    insecureSkipVerify: field('InsecureSkipVerify') === true,
    caFile: text('CAFile'),
    certFile: text('CertFile'),
    keyFile: text('KeyFile'),
  };
}
