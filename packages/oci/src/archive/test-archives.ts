import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '@wharf/kit';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor, Platform } from '../spec/image.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../spec/media-types.ts';
import { encodeTarHeader, TAR_END, tarPadding } from '../tar/write.ts';
import type { BlobSink } from './image-archive.ts';

/** For tests: small archives made by hand, and a sink without leases. */

export type Members = Readonly<Record<string, Buffer | string | { readonly link: string }>>;

/** A tar of regular files and symlinks in the order given. */
export function tarOf(members: Members): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(members)) {
    if (typeof value === 'object' && 'link' in value) {
      parts.push(encodeTarHeader({ name, type: 'symlink', linkName: value.link, mode: 0o777 }));
      continue;
    }
    const bytes = Buffer.from(value);
    parts.push(
      encodeTarHeader({ name, type: name.endsWith('/') ? 'directory' : 'file', mode: 0o755, sizeBytes: bytes.length }),
    );
    parts.push(bytes, tarPadding(bytes.length));
  }
  return Buffer.concat([...parts, TAR_END]);
}

export function sha256(bytes: Buffer): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export function descriptorOf(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

export interface TestImage {
  readonly target: Descriptor;
  readonly manifest: Buffer;
  readonly config: Buffer;
  readonly layers: readonly Buffer[];
  /** `blobs/…` members. */
  readonly blobs: Members;
}

/** An OCI image of plain layers. */
export function makeImage(options: {
  readonly layers: readonly Buffer[];
  readonly platform?: Platform;
  readonly labels?: Readonly<Record<string, string>>;
  readonly created?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}): TestImage {
  const {
    layers,
    platform = { os: 'linux', architecture: 'amd64' },
    labels,
    created = '2024-01-02T03:04:05Z',
  } = options;
  const config = Buffer.from(
    JSON.stringify({
      created,
      ...platform,
      config: { Cmd: ['sh'], Env: ['PATH=/bin'], ...(labels === undefined ? {} : { Labels: labels }) },
      rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
      history: layers.map((_, index) => ({ created, created_by: `layer ${index}` })),
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: descriptorOf(config, OCI_CONFIG),
      layers: layers.map((layer) => descriptorOf(layer, OCI_LAYER)),
      ...(options.annotations === undefined ? {} : { annotations: options.annotations }),
    }),
  );
  const blobs = blobMembers([manifest, config, ...layers]);
  return { target: { ...descriptorOf(manifest, OCI_MANIFEST), platform }, manifest, config, layers, blobs };
}

export function blobMembers(blobs: readonly Buffer[]): Members {
  return Object.fromEntries(blobs.map((bytes) => [`blobs/sha256/${sha256(bytes).slice(7)}`, bytes]));
}

/** An OCI layout with these entries in `index.json`. */
export function layoutOf(manifests: readonly Descriptor[], blobs: Members): Members {
  return {
    ...blobs,
    'index.json': JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    'oci-layout': JSON.stringify({ imageLayoutVersion: '1.0.0' }),
  };
}

/** A sink that stores into a content store and keeps nothing from collection. */
export function plainSink(store: ContentStore): BlobSink {
  return {
    writer: (algorithm) => store.writer({ algorithm }),
    commit: (writer, expected) => writer.commit(expected),
    put: (bytes) => store.put(bytes),
    adopt: (digest) => store.stat(digest),
    head: async (digest, bytes) => (await store.read(digest, 1 << 30)).subarray(0, bytes),
    read: (digest) => store.read(digest),
  };
}

/** The bytes in odd pieces, as a socket may give them. */
export async function* inPieces(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
