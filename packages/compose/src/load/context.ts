import { WharfError } from '@wharf/kit/errors';
import { LIMITS } from './limits.ts';
import { parseYaml, type YamlFile } from './yaml-nodes.ts';

/** What one load shares: its files, where warnings go, how what is not a file is fetched. */
export interface LoadContext {
  readonly warn: (message: string) => void;
  readonly home: string | undefined;
  readonly signal: AbortSignal | undefined;
  readonly fetchRemote: ((reference: string, options: { signal?: AbortSignal }) => Promise<string>) | undefined;
  /** Files read so far, in the order they were read. */
  readonly files: FileCache;
}

/** Steps to leave out, as extended and included files and `config`'s flags want it. */
export interface Steps {
  readonly interpolate: boolean;
  readonly validate: boolean;
  readonly extends: boolean;
  readonly include: boolean;
  readonly defaults: boolean;
  readonly paths: boolean;
}

/** The files of a load, each read and parsed once. */
export class FileCache {
  readonly #files = new Map<string, YamlFile>();

  /** A file of the disk; throws Go's words (`open x: no such file or directory`). */
  read(path: string): YamlFile {
    return this.#files.get(path) ?? this.add(path, readText(path));
  }

  /** A file whose text is known (standard input). */
  add(name: string, text: string): YamlFile {
    if (this.#files.size >= LIMITS.files)
      throw new WharfError('resource-exhausted', `Cannot load project: it has more than ${LIMITS.files} files`);
    const file = parseYaml(name, text);
    this.#files.set(name, file);
    return file;
  }

  all(): readonly YamlFile[] {
    return [...this.#files.values()];
  }
}

/** The text of a file. Throws `not-found` or `failed-precondition` in Go's words. */
export function readText(path: string): string {
  const fs = process.getBuiltinModule('node:fs');
  try {
    const size = fs.statSync(path).size;
    if (size > LIMITS.fileBytes)
      throw new WharfError('resource-exhausted', `Cannot read "${path}": it has more than ${LIMITS.fileBytes} bytes`);
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'open', path);
  }
}

/** An error of the file system in Go's words. */
export function fileError(error: unknown, operation: string, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ENOENT':
      return new WharfError('not-found', `${operation} ${path}: no such file or directory`, { cause: error });
    case 'EACCES':
      return new WharfError('permission-denied', `${operation} ${path}: permission denied`, { cause: error });
    case 'EISDIR':
      return new WharfError('failed-precondition', `read ${path}: is a directory`, { cause: error });
    case 'ENOTDIR':
      return new WharfError('not-found', `${operation} ${path}: not a directory`, { cause: error });
    default:
      return error;
  }
}

/** Whether a reference is something to fetch and no path. */
export function isRemote(reference: string): boolean {
  return (
    reference.startsWith('oci://') ||
    /^(https?|git|ssh):\/\//.test(reference) ||
    /^(git@|github\.com\/)/.test(reference)
  );
}

/** The local path of a reference: fetched, or below `directory`. */
export async function localPath(reference: string, directory: string, context: LoadContext): Promise<string> {
  const { isAbsolute, join } = process.getBuiltinModule('node:path');
  if (!isRemote(reference)) return isAbsolute(reference) ? reference : join(directory, reference);
  if (context.fetchRemote === undefined)
    throw new WharfError('not-implemented', `Cannot load "${reference}": only files on this machine are read here`, {
      hint: 'fetch it first and name the file',
    });
  return context.fetchRemote(reference, context.signal === undefined ? {} : { signal: context.signal });
}

/** The directory of a file (or the directory itself) as seen from an absolute one. */
export function directoryFrom(directory: string, path: string): string {
  const { dirname, relative } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  const isDirectory = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const at = isDirectory ? path : dirname(path);
  const way = relative(directory, at);
  return way === '' ? '.' : way;
}
