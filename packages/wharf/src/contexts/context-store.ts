import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit/errors';
import { naturalOrder } from '@wharf/kit/natural-order';
import { contextPaths } from '@wharf/wire/docker-client/context-store';
import { DEFAULT_CONTEXT, defaultEndpoint, type EndpointChoice } from '@wharf/wire/docker-client/endpoint';
import { replaceFile } from '../client-config/config-file.ts';

/** What a context says, in the words of its file (docker's context store). */
export interface ContextMeta {
  readonly Name: string;
  readonly Metadata?: { readonly Description?: string; readonly [key: string]: unknown };
  readonly Endpoints: { readonly docker?: DockerEndpointMeta; readonly [name: string]: unknown };
}

export interface DockerEndpointMeta {
  readonly Host?: string;
  readonly SkipTLSVerify: boolean;
}

/** PEM files by endpoint and name (`docker`, `ca.pem`). */
export type TlsMaterial = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;
const IN_MEMORY = '<IN MEMORY>';

/**
 * The contexts of a configuration directory, which docker's own client reads and writes too; `default` stands for flags, environment and
 * the usual sockets, and is in no file.
 */
export class ContextStore {
  readonly #directory: string;
  readonly #choice: EndpointChoice;

  constructor(directory: string, choice: EndpointChoice) {
    this.#directory = directory;
    this.#choice = choice;
  }

  /** All of them, in the order people count, `default` among them. */
  list(): readonly ContextMeta[] {
    const root = join(this.#directory, 'contexts/meta');
    const found = namesIn(root).flatMap((id) => {
      const meta = readMeta(join(root, id, 'meta.json'));
      return meta === undefined ? [] : [meta];
    });
    const all = [...found, this.get(DEFAULT_CONTEXT)];
    return all.toSorted((left, right) => naturalOrder(left.Name, right.Name));
  }

  /** Throws `not-found` in docker's words. */
  get(name: string): ContextMeta {
    if (name === DEFAULT_CONTEXT) {
      const { host, tls } = defaultEndpoint(this.#choice);
      const docker = { Host: host, SkipTLSVerify: tls?.skipVerify ?? false };
      return { Name: name, Metadata: {}, Endpoints: { docker } };
    }
    const path = join(this.paths(name).meta, 'meta.json');
    const meta = readMeta(path);
    if (meta !== undefined) return meta;
    throw new WharfError('not-found', `context "${name}": context not found: open ${path}: no such file or directory`, {
      hint: 'See `wharf context ls`.',
    });
  }

  has(name: string): boolean {
    return name === DEFAULT_CONTEXT || readMeta(join(this.paths(name).meta, 'meta.json')) !== undefined;
  }

  /** Writes a context, there or not. */
  put(meta: ContextMeta): void {
    const { meta: directory } = this.paths(meta.Name);
    const fs = process.getBuiltinModule('node:fs');
    fs.mkdirSync(directory, { recursive: true, mode: 0o755 });
    replaceFile(join(directory, 'meta.json'), goJson(meta), 0o644);
  }

  /** Puts TLS material in the place of what the context had; of one endpoint, or of all. */
  putTls(name: string, material: TlsMaterial, endpoint?: string): void {
    const { tls } = this.paths(name);
    rmSync(endpoint === undefined ? tls : join(tls, endpoint), { recursive: true, force: true });
    const fs = process.getBuiltinModule('node:fs');
    for (const [name, files] of material) {
      fs.mkdirSync(join(tls, name), { recursive: true, mode: 0o700 });
      for (const [file, content] of files) replaceFile(join(tls, name, file), content, 0o600);
    }
  }

  tls(name: string): TlsMaterial {
    const found = new Map<string, ReadonlyMap<string, Buffer>>();
    if (name === DEFAULT_CONTEXT) {
      const { tls } = defaultEndpoint(this.#choice);
      const files = Object.entries({ ca: tls?.ca, cert: tls?.cert, key: tls?.key }).flatMap(([key, content]) =>
        content === undefined ? [] : [[`${key}.pem`, content] as const],
      );
      if (files.length > 0) found.set('docker', new Map(files));
      return found;
    }
    const { tls: root } = this.paths(name);
    for (const endpoint of namesIn(root)) {
      const files = namesIn(join(root, endpoint)).map(
        (file) => [file, readFileSync(join(root, endpoint, file))] as const,
      );
      found.set(endpoint, new Map(files));
    }
    return found;
  }

  remove(name: string): void {
    const { meta, tls } = this.paths(name);
    rmSync(meta, { recursive: true, force: true });
    rmSync(tls, { recursive: true, force: true });
  }

  /** Where it is kept. */
  paths(name: string): { readonly meta: string; readonly tls: string } {
    if (name === DEFAULT_CONTEXT) return { meta: IN_MEMORY, tls: IN_MEMORY };
    return contextPaths(name, this.#directory);
  }
}

/** What a context is for; that of `default` is always the same. */
export function descriptionOf({ Name, Metadata }: ContextMeta): string {
  return Name === DEFAULT_CONTEXT ? 'Current DOCKER_HOST based configuration' : (Metadata?.Description ?? '');
}

/** Throws `invalid-argument` in docker's words. */
export function checkContextName(name: string): void {
  if (name === '') throw new WharfError('invalid-argument', 'context name cannot be empty');
  if (name === DEFAULT_CONTEXT) throw new WharfError('invalid-argument', '"default" is a reserved context name');
  if (NAME.test(name)) return;
  throw new WharfError(
    'invalid-argument',
    `context name "${name}" is invalid, names are validated against regexp "${NAME.source}"`,
  );
}

/** JSON with Go's escapes. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

/** A context's document from its text. Throws SyntaxError. */
export function parseMeta(text: string): ContextMeta {
  const { Name = '', Metadata, Endpoints = {} } = JSON.parse(text) as Partial<ContextMeta>;
  const { docker } = Endpoints;
  return {
    Name,
    ...(Metadata ? { Metadata } : {}),
    Endpoints: docker
      ? { ...Endpoints, docker: { ...docker, SkipTLSVerify: docker.SkipTLSVerify ?? false } }
      : Endpoints,
  };
}

function readMeta(path: string): ContextMeta | undefined {
  try {
    return parseMeta(readFileSync(path, 'utf8'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new WharfError('invalid-argument', `parsing ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
