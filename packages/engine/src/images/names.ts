import { type Digest, familiarName, formatFamiliar, type Reference, tryParseReference } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import type { Store, Table } from '@wharf/store';

const DANGLING_PREFIX = 'moby-dangling@';

/** A name and what it points at. Several names may share a target; a target with no other name has a dangling one. */
export interface ImageName {
  /** Canonical (`docker.io/library/busybox:latest`), or `moby-dangling@<digest>` for an image without a name. */
  readonly name: string;
  readonly target: Descriptor;
  /** The manifest a push of this name has put into the registry, where that is another one: its layers are compressed. */
  readonly pushed?: Descriptor;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** The image this one was committed from, as the classic builder and `docker commit` note it. */
  readonly parent?: Digest;
}

/** The name under which an image without a name is kept. */
export function danglingName(digest: Digest): string {
  return DANGLING_PREFIX + digest;
}

/** True for an image that is kept without a name of its own. */
export function isDangling(image: ImageName): boolean {
  return image.name === danglingName(image.target.digest);
}

/** The name as a reference; `undefined` for dangling ones. */
export function referenceOf(image: ImageName): Reference | undefined {
  return isDangling(image) ? undefined : tryParseReference(image.name);
}

/** The name as Docker shows it; a dangling image shows its digest. */
export function familiarOf(image: ImageName): string {
  if (isDangling(image)) return image.target.digest;
  const reference = tryParseReference(image.name);
  return reference === undefined ? image.name : formatFamiliar(reference);
}

/** `repository@digest` as Docker shows it, by the digest the registry knows; `undefined` for dangling ones. */
function repoDigestOf(image: ImageName): string | undefined {
  const reference = referenceOf(image);
  return reference === undefined ? undefined : `${familiarName(reference)}@${(image.pushed ?? image.target).digest}`;
}

/** The `RepoDigests` of an image by its names: each once, and of a repository it was pushed to only what is there. */
export function repoDigestsOf(images: readonly ImageName[]): readonly string[] {
  const pushed = new Set(images.filter((image) => image.pushed !== undefined).map(repositoryOf));
  const shown = images.filter((image) => image.pushed !== undefined || !pushed.has(repositoryOf(image)));
  return [...new Set(shown.map(repoDigestOf).filter((each) => each !== undefined))];
}

function repositoryOf(image: ImageName): string {
  const reference = referenceOf(image);
  return reference === undefined ? '' : familiarName(reference);
}

/**
 * The table of names: the only roots of the image store, besides containers and operations under way.
 *
 * Reads and writes take effect at once and without waiting, so a read and the write that follows it in the same turn are
 * one step. `store.committed()` makes them durable.
 */
export class ImageNames {
  readonly #table: Table<ImageName>;
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
    this.#table = store.table<ImageName>('images');
  }

  get(name: string): ImageName | undefined {
    return this.#table.get(name);
  }

  list(): ImageName[] {
    return this.#table.list().map((row) => row.value);
  }

  withTarget(digest: Digest): ImageName[] {
    return this.list().filter((image) => image.target.digest === digest);
  }

  put(image: ImageName): void {
    this.#table.put(image.name, image);
  }

  delete(name: string): boolean {
    return this.#table.delete(name);
  }

  /** Runs changes as one: all are there after a crash, or none. */
  transaction<T>(work: () => T): T {
    return this.#store.transaction(work);
  }

  committed(): Promise<void> {
    return this.#store.committed();
  }
}
