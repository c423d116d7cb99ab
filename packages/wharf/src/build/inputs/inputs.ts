import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { didYouMean } from '@wharf/builder/dockerfile/suggest';
import { WharfError } from '@wharf/kit';
import { UsageError } from '../../cli/errors.ts';
import { readIndex } from '../layout-index.ts';
import { fetchDockerfile } from './fetch-dockerfile.ts';
import { readStandardInput } from './standard-input.ts';

/** What a build reads, and how the daemon is told of it. Disposal removes what was made for it. */
export interface Inputs extends Disposable {
  /** Directories the daemon may ask for, by the name it asks with. */
  readonly directories: ReadonlyMap<string, string>;
  /** Image layouts, by the name it asks with. */
  readonly stores: ReadonlyMap<string, string>;
  /** Archives it may pull once, by their id. */
  readonly uploads: ReadonlyMap<string, AsyncIterable<Uint8Array>>;
  readonly attributes: Readonly<Record<string, string>>;
  /** The same for builds of the same directory, so that only changes need be sent. */
  readonly sharedKey: string;
  /** How the Dockerfile is called in messages. */
  readonly dockerfile: string;
}

interface Given {
  readonly context: string;
  readonly file: string | undefined;
  readonly namedContexts: readonly string[];
  readonly stdin: Readable;
}

/** Takes what was given apart: directories, addresses, standard input. Throws in words that say what to give instead. */
export async function openInputs(given: Given): Promise<Inputs> {
  using cleanup = new DisposableStack();
  const draft = new Draft(cleanup);
  // A writer that goes on must not keep a program that has nothing left to do.
  if (given.context === '-' || given.file === '-') cleanup.defer(() => void given.stdin.destroy());
  if (given.context === '-') await draft.standardInput(given);
  else if (isRemote(given.context)) await draft.remote(given);
  else await draft.local(given);
  for (const text of given.namedContexts) draft.namedContext(text);
  const { directories, stores, uploads, attributes, sharedKey, dockerfile } = draft;
  const kept = cleanup.move();
  return {
    ...{ directories, stores, uploads, attributes, sharedKey, dockerfile },
    [Symbol.dispose]: () => kept.dispose(),
  };
}

/** What the daemon fetches itself: repositories and archives. */
export function isRemote(path: string): boolean {
  return /^(https?:\/\/|git:\/\/|ssh:\/\/|github\.com\/|git@[^/]+:)/.test(path);
}

class Draft {
  readonly directories = new Map<string, string>();
  readonly stores = new Map<string, string>();
  readonly uploads = new Map<string, AsyncIterable<Uint8Array>>();
  readonly attributes: Record<string, string> = {};
  sharedKey = '';
  dockerfile = 'Dockerfile';
  readonly #cleanup: DisposableStack;

  constructor(cleanup: DisposableStack) {
    this.#cleanup = cleanup;
  }

  async standardInput({ file, stdin }: Given): Promise<void> {
    if (file === '-') throw new UsageError("invalid argument: can't use stdin for both build context and dockerfile");
    const input = await readStandardInput(stdin);
    if (input.kind === 'archive') {
      const id = randomUUID().replaceAll('-', '');
      this.uploads.set(id, input.stream);
      this.attributes['context'] = `http://buildkit-session/${id}`;
      this.attributes['filename'] = file ?? 'Dockerfile';
      this.dockerfile = file ?? 'Dockerfile';
      return;
    }
    if (file !== undefined) {
      throw new UsageError('ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles');
    }
    this.directories.set('context', this.#emptyDirectory());
    this.#dockerfileText(input.text, 'stdin');
  }

  async remote({ context, file, stdin }: Given): Promise<void> {
    this.attributes['context'] = context;
    if (file === '-') return this.#fromStandardInput(stdin);
    if (file !== undefined && /^https?:/.test(file)) return this.#dockerfileText(await fetchDockerfile(file), file);
    this.dockerfile = file ?? 'Dockerfile';
    if (file === undefined || !isAbsolute(file)) this.attributes['filename'] = this.dockerfile;
    else {
      this.#dockerfileAt(file);
      this.attributes['dockerfilekey'] = 'dockerfile';
    }
  }

  async local({ context, file, stdin }: Given): Promise<void> {
    const status = statSync(context, { throwIfNoEntry: false });
    if (status === undefined) {
      throw new WharfError('not-found', `unable to prepare context: path "${context}" not found${nearby(context)}`);
    }
    if (!status.isDirectory()) {
      throw new WharfError('invalid-argument', `unable to prepare context: "${context}" is not a directory`, {
        hint: `The last argument is a directory; a Dockerfile is named with -f: wharf build -f ${context} ${dirname(context)}`,
      });
    }
    this.directories.set('context', resolve(context));
    this.sharedKey = `${basename(resolve(context))}:${resolve(context)}`;
    if (file === '-') return this.#fromStandardInput(stdin);
    if (file !== undefined && /^https?:/.test(file)) return this.#dockerfileText(await fetchDockerfile(file), file);
    this.#dockerfileAt(file ?? join(context, 'Dockerfile'), file === undefined);
    return undefined;
  }

  /** `NAME=PATH`, an address, `docker-image://…`, `target:…`, `oci-layout://…`. */
  namedContext(text: string): void {
    const equals = text.indexOf('=');
    const [name, path] = [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)];
    if (equals <= 0 || path === '') throw new UsageError(`invalid context value: ${text}, expected key=value`);
    const key = `context:${name}`;
    if (isRemote(path) || /^(docker-image:\/\/|target:)/.test(path)) {
      this.attributes[key] = path;
      return;
    }
    if (path.startsWith('oci-layout://')) {
      this.attributes[key] = this.#layout(path);
      return;
    }
    const status = statSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory() !== true) {
      const why = status === undefined ? `there is no "${path}"${nearby(path)}` : `"${path}" is no directory`;
      throw new WharfError('not-found', `failed to get build context ${name}: ${why}`);
    }
    const local = name === 'context' || name === 'dockerfile' ? `_${name}` : name;
    this.directories.set(local, resolve(path));
    this.attributes[key] = `local:${local}`;
    this.attributes[`sharedkey:localdir:${name}`] = resolve(path);
  }

  #layout(address: string): string {
    const match = /^oci-layout:\/\/(.+?)(?::([^/:@]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(address);
    const [, path = '', tag = 'latest', digest = readIndex(path, tag)] = match ?? [];
    if (digest === undefined) {
      throw new WharfError('not-found', `oci-layout reference "${address}" could not be resolved`, {
        hint: `Its index.json names no manifest with the tag "${tag}".`,
      });
    }
    const store = randomUUID().replaceAll('-', '');
    this.stores.set(`oci:${store}`, resolve(path));
    return `oci-layout://${store}@${digest}`;
  }

  async #fromStandardInput(stdin: Readable): Promise<void> {
    const input = await readStandardInput(stdin);
    if (input.kind === 'archive') {
      throw new UsageError(
        'Cannot read the Dockerfile from standard input: it is an archive',
        'An archive is a context: wharf build -',
      );
    }
    this.#dockerfileText(input.text, 'stdin');
  }

  #dockerfileText(text: string, shown: string): void {
    const directory = this.#emptyDirectory();
    writeFileSync(join(directory, 'Dockerfile'), text);
    this.directories.set('dockerfile', directory);
    this.attributes['filename'] = 'Dockerfile';
    this.attributes['dockerfilekey'] = 'dockerfile';
    this.dockerfile = shown;
  }

  #dockerfileAt(path: string, isDefault = false): void {
    const [directory, name] = [dirname(path), basename(path)];
    const lower = isDefault && !existsSync(path) && existsSync(join(directory, 'dockerfile'));
    if (!existsSync(path) && !lower) {
      throw new WharfError(
        'not-found',
        `failed to read dockerfile: open ${path}: no such file or directory${nearby(path)}`,
        {
          hint: isDefault
            ? 'Name the file with -f, or make a Dockerfile there.'
            : 'The path of -f begins where you are, not at the context.',
        },
      );
    }
    this.directories.set('dockerfile', resolve(directory));
    this.attributes['filename'] = lower ? 'dockerfile' : name;
    this.dockerfile = path;
  }

  #emptyDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'wharf-build-'));
    this.#cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
    mkdirSync(join(directory, 'd'));
    return join(directory, 'd');
  }
}

/** A file of a similar name in the same directory, as a question. */
function nearby(path: string): string {
  const directory = dirname(resolve(path));
  if (!existsSync(directory)) return '';
  return didYouMean(basename(path), readdirSync(directory), false);
}
