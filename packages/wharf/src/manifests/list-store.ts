import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { formatCanonical, type Reference } from '@wharf/kit/reference';
import { replaceFile } from '../client-config/config-file.ts';
import type { ImageManifest } from './image-manifest.ts';

/** Lists of manifests that are being put together, in the files of docker's client: a directory for each, a file for each image. */
export class ManifestListStore {
  readonly #root: string;

  constructor(configDirectory: string) {
    this.#root = join(configDirectory, 'manifests');
  }

  get(list: Reference, image: Reference): ImageManifest | undefined {
    return read(join(this.#directory(list), fileName(image)));
  }

  /** In the order of their names. Throws `not-found`. */
  list(list: Reference): readonly ImageManifest[] {
    const names = namesIn(this.#directory(list));
    if (names === undefined) throw missing(list);
    return names.toSorted().flatMap((name) => read(join(this.#directory(list), name)) ?? []);
  }

  has(list: Reference): boolean {
    return namesIn(this.#directory(list)) !== undefined;
  }

  put(list: Reference, image: Reference, manifest: ImageManifest): void {
    const directory = this.#directory(list);
    process.getBuiltinModule('node:fs').mkdirSync(directory, { recursive: true, mode: 0o755 });
    replaceFile(join(directory, fileName(image)), JSON.stringify(manifest), 0o644);
  }

  remove(list: Reference): void {
    rmSync(this.#directory(list), { recursive: true, force: true });
  }

  #directory(list: Reference): string {
    return join(this.#root, fileName(list));
  }
}

/** What docker says of a manifest that is not there. */
export function missing(reference: Reference): WharfError {
  return new WharfError('not-found', `No such manifest: ${formatCanonical(reference)}`);
}

function fileName(reference: Reference): string {
  return formatCanonical(reference).replaceAll(':', '-').replaceAll('/', '_');
}

function read(path: string): ImageManifest | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ImageManifest;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
