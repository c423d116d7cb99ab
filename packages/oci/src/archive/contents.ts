import { WharfError } from '@wharf/kit';
import type { BlobInfo } from '../content/content-store.ts';
import type { Descriptor } from '../spec/image.ts';

/** What an archive held, by its cleaned member names. */
export interface ArchiveContents {
  readonly documents: ReadonlyMap<string, Buffer>;
  readonly blobs: ReadonlyMap<string, BlobInfo>;
}

/** Parses an archive's JSON document. Throws `data-loss`. */
export function parseArchiveJson(bytes: Buffer, name: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw new WharfError('data-loss', `Cannot read image archive: "${name}" is not JSON`, { cause: error });
  }
}

/** The descriptor of an archived blob. */
export function describe(info: BlobInfo, mediaType: string): Descriptor {
  return { mediaType, digest: info.digest, size: info.sizeBytes };
}
