import { type Digest, formatFamiliar, isDigest, type Reference } from '@wharf/kit';
import { listReferrers } from '@wharf/oci/remote/referrers';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import { fetchDocument } from '@wharf/oci/remote/resolver';
import { registryError } from '../errors.ts';
import { IMPORTED_AT_ONCE, MAX_INDEX_DEPTH } from '../limits.ts';
import { type Descriptor, parseManifest } from '../model/manifest.ts';
import type { RegistryParts } from '../registry.ts';
import { bringBlob } from './download.ts';
import { keepManifest } from './keep.ts';
import type { UpstreamPlace, Upstreams } from './upstreams.ts';

export interface ImportOptions {
  readonly parts: RegistryParts;
  readonly upstreams: Upstreams;
  /** Where from; its tag or digest counts unless all tags are wanted. */
  readonly source: Reference;
  readonly account: Pick<UpstreamPlace, 'username' | 'password' | 'insecure'>;
  readonly repository: string;
  readonly allTags: boolean;
  /** Signatures and what else refers to the images comes along. */
  readonly referrers: boolean;
  readonly by: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (soFar: ImportReport) => void;
}

export interface ImportReport {
  readonly tags: number;
  readonly manifests: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Copies images of another registry into a repository: blobs first, then what names them, so that at no time an image is here in part. What is
 * here already is not fetched; one that breaks off goes on where it was when it is begun again. Throws what the other registry or a guard
 * refuses.
 */
export async function importImages(options: ImportOptions): Promise<ImportReport> {
  const { upstreams, source, account, allTags } = options;
  const place = { registry: source.domain, path: source.path, ...account };
  const named = source.digest ?? source.tag ?? 'latest';
  const remote = await upstreams.open(place, named);
  if (remote === undefined)
    throw registryError('NAME_INVALID', `Cannot import from "${formatFamiliar(source)}": that is no name`);
  const work = new Import(options, remote);
  const names = allTags ? await remote.tags(options.signal) : [named];
  for (const name of names) await work.name(name);
  return work.report;
}

class Import {
  readonly #options: ImportOptions;
  readonly #remote: RemoteRepository;
  readonly #seen = new Set<Digest>();
  readonly report = { tags: 0, manifests: 0, blobs: 0, bytes: 0 };

  constructor(options: ImportOptions, remote: RemoteRepository) {
    this.#options = options;
    this.#remote = remote;
  }

  async name(name: string): Promise<void> {
    const tags = isDigest(name) ? [] : [name];
    await this.#manifest(name, tags, 0);
    this.report.tags += tags.length;
    this.#tell();
  }

  #tell(): void {
    this.#options.onProgress({ ...this.report });
  }

  async #manifest(name: string, tags: readonly string[], depth: number): Promise<void> {
    const { parts, repository, by, signal, referrers } = this.#options;
    signal?.throwIfAborted();
    if (isDigest(name) && this.#seen.has(name)) return;
    if (depth > MAX_INDEX_DEPTH) throw registryError('MANIFEST_INVALID', 'indexes within indexes without end');
    const { descriptor, bytes } = await fetchDocument(this.#remote, name, { signal });
    const { digest, mediaType } = descriptor;
    const { blobs, children } = parseManifest(bytes, mediaType);
    this.#seen.add(digest);
    for (const child of children) await this.#manifest(child.digest, [], depth + 1);
    await this.#blobs(blobs);
    await keepManifest(parts, { digest, mediaType, bytes }, { repository, tags, by });
    this.report.manifests += 1;
    this.#tell();
    if (!referrers) return;
    for (const each of await listReferrers(this.#remote, digest, signal))
      await this.#manifest(each.digest, [], depth + 1);
  }

  async #blobs(blobs: readonly Descriptor[]): Promise<void> {
    const { parts, repository, by, signal = new AbortController().signal } = this.#options;
    const left = [...blobs];
    const received = (bytes: number): void => {
      this.report.bytes += bytes;
      this.#tell();
    };
    const take = async (): Promise<void> => {
      for (let descriptor = left.pop(); descriptor !== undefined; descriptor = left.pop()) {
        await bringBlob({ parts, remote: this.#remote, descriptor, repository, by, signal, received });
        this.report.blobs += 1;
      }
    };
    await Promise.all(Array.from({ length: IMPORTED_AT_ONCE }, take));
  }
}
