import { randomUUID } from 'node:crypto';
import { type Digest, messageOf, splitDigest } from '@wharf/kit';
import { blobBytes } from '@wharf/oci/remote/blob-source';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import { registryError } from '../errors.ts';
import type { Descriptor } from '../model/manifest.ts';
import type { RegistryParts } from '../registry.ts';
import type { BlobSource, BlobUpload } from '../storage/storage.ts';

/**
 * A blob on its way from another registry into the storage. Readers may follow it while it comes: they get everything but the last
 * bytes before it is verified and in place, so that nobody takes a wrong one for whole.
 */
export class Download {
  readonly sizeBytes: number;
  /** Resolves when it is in place. Throws what the upstream or the disk refused; nothing is left then. */
  readonly done: Promise<void>;
  readonly #upload: BlobUpload;

  private constructor(upload: BlobUpload, sizeBytes: number, done: Promise<void>) {
    this.#upload = upload;
    this.sizeBytes = sizeBytes;
    this.done = done;
  }

  /** Begins; resolves when the upstream has answered with the first bytes. Throws what it refuses. */
  static async begin(options: {
    readonly parts: Pick<RegistryParts, 'storage' | 'log'>;
    readonly remote: RemoteRepository;
    readonly descriptor: Descriptor;
    readonly signal: AbortSignal;
    readonly received?: (bytes: number) => void;
  }): Promise<Download> {
    const { parts, remote, descriptor, signal, received } = options;
    const { digest, sizeBytes } = descriptor;
    const { algorithm } = splitDigest(digest);
    if (algorithm !== 'sha256' && algorithm !== 'sha512')
      throw registryError('DIGEST_INVALID', `the algorithm of ${digest} is not supported`);
    const wanted = { mediaType: 'application/octet-stream', digest, size: sizeBytes };
    const chunks = blobBytes({ repository: remote, descriptor: wanted, from: 0, signal });
    const first = await chunks.next();
    const upload = await parts.storage.upload(randomUUID(), algorithm);
    const receive = async (): Promise<void> => {
      try {
        for (let step = first; step.done !== true; step = await chunks.next()) {
          received?.(step.value.length);
          await upload.write(step.value);
        }
        await upload.commit(digest);
      } catch (error) {
        await chunks.return().catch(() => {});
        await upload.discard().catch(() => {});
        parts.log.warn({ digest, error: messageOf(error) }, 'a blob could not be fetched from another registry');
        throw error;
      }
    };
    const done = receive();
    done.catch(() => {});
    return new Download(upload, sizeBytes, done);
  }

  /** Reads along. Throws when it has failed; `undefined` where the storage cannot show what is not whole. */
  async follow(range: { readonly start: number; readonly endExclusive: number }): Promise<BlobSource | undefined> {
    return this.#upload.follow?.({ ...range, sizeBytes: this.sizeBytes, whole: this.done });
  }
}

/** Has a blob in a repository: by a link when it is in the storage, else from another registry. Throws what that refuses. */
export async function bringBlob(options: {
  readonly parts: RegistryParts;
  readonly remote: RemoteRepository;
  readonly descriptor: Descriptor;
  readonly repository: string;
  readonly by: string;
  readonly signal: AbortSignal;
  readonly received?: (bytes: number) => void;
}): Promise<void> {
  const { parts, descriptor, repository, by } = options;
  const { digest, sizeBytes } = descriptor;
  if (parts.catalog.link(repository, digest) !== undefined) return;
  using _claim = await parts.claims.claim(digest);
  if ((await parts.storage.stat(digest)) === undefined) await (await Download.begin(options)).done;
  linkFetched(parts, { repository, digest, sizeBytes, by });
  await parts.catalog.committed();
}

/** Notes that a repository has a blob which came from elsewhere. */
export function linkFetched(
  { catalog }: RegistryParts,
  blob: { readonly repository: string; readonly digest: Digest; readonly sizeBytes: number; readonly by: string },
): void {
  catalog.linkBlob({ ...blob, how: 'blob.push' });
}
