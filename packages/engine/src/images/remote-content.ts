import type { Reference } from '@wharf/kit';
import { blobBytes } from '@wharf/oci/remote/blob-source';
import type { RegistryCredentials } from '@wharf/oci/remote/credentials';
import type { Registries } from '@wharf/oci/remote/registries';
import { fetchDocument } from '@wharf/oci/remote/resolver';
import type { Descriptor } from '@wharf/oci/spec/image';

/** A repository of a registry, to read from piece by piece. */
export interface RemoteContent {
  /** A manifest or index: what the name itself stands for, or one by its digest. Throws `not-found`, `data-loss`. */
  document(digest?: Descriptor['digest']): Promise<{ readonly descriptor: Descriptor; readonly bytes: Buffer }>;
  /** A blob's bytes, which are not checked. */
  blob(descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Buffer>;
}

/** Reads of a repository what a caller asks for, and stores nothing. Throws the registry's errors. */
export async function remoteContent(
  registries: Registries,
  reference: Reference,
  options: {
    readonly credentials: RegistryCredentials | undefined;
    readonly insecure: boolean;
    readonly signal: AbortSignal;
  },
): Promise<RemoteContent> {
  const { credentials, insecure, signal } = options;
  const repository = await registries.repository(reference, credentials, {}, { insecure });
  return {
    document: (digest) => fetchDocument(repository, digest ?? reference.digest ?? reference.tag ?? '', { signal }),
    blob: (descriptor, until) => blobBytes({ repository, descriptor, from: 0, signal: until }),
  };
}
