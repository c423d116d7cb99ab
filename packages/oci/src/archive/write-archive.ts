import { type Digest, splitDigest, WharfError } from '@wharf/kit';
import type { ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../spec/image.ts';
import { OCI_INDEX } from '../spec/media-types.ts';
import { encodeTarHeader, TAR_END, tarPadding } from '../tar/write.ts';

/** One image of an archive to write. */
export interface ImageToWrite {
  /** With the annotations that `index.json` is to show. */
  readonly target: Descriptor;
  /** Everything below and including the target that the archive shall hold. */
  readonly blobs: readonly Descriptor[];
  /** The manifest that stands for the image in `manifest.json`, for readers that know no OCI layout. */
  readonly docker?:
    | { readonly digest: Digest; readonly config: Digest; readonly layers: readonly Digest[] }
    | undefined;
  /** As Docker shows it, for `RepoTags`. */
  readonly familiarName?: string | undefined;
}

interface Member {
  readonly name: string;
  readonly mode: number;
  readonly type: 'file' | 'directory';
  readonly content: Buffer | Descriptor;
}

/**
 * Writes images as an OCI layout that is a docker-archive too, member for member as containerd's exporter does: sorted by
 * name, no times, no owners, so the same images always give the same bytes. Throws `not-found` when a blob is missing.
 */
export async function* writeImageArchive(
  content: ContentStore,
  images: readonly ImageToWrite[],
): AsyncGenerator<Buffer> {
  for (const member of planMembers(images)) {
    const { name, mode, type } = member;
    const sizeBytes = Buffer.isBuffer(member.content) ? member.content.length : member.content.size;
    yield encodeTarHeader({ name, type, mode, sizeBytes: type === 'file' ? sizeBytes : 0 });
    if (Buffer.isBuffer(member.content)) yield member.content;
    else yield* blobBytes(content, member.content);
    if (type === 'file') yield tarPadding(sizeBytes);
  }
  yield TAR_END;
}

async function* blobBytes(content: ContentStore, descriptor: Descriptor): AsyncGenerator<Buffer> {
  const { digest, size } = descriptor;
  const info = await content.stat(digest);
  if (info === undefined || info.sizeBytes !== size) {
    throw new WharfError(
      'data-loss',
      `Cannot save blob "${digest}": it is ${info === undefined ? 'not in the store' : 'of another size than its descriptor says'}`,
    );
  }
  for await (const chunk of await content.open(digest)) yield chunk as Buffer;
}

function planMembers(images: readonly ImageToWrite[]): readonly Member[] {
  const members = new Map<string, Member>();
  const add = (member: Member) => {
    if (!members.has(member.name)) members.set(member.name, member);
  };
  const json = (name: string, mode: number, value: unknown) =>
    add({ name, mode, type: 'file', content: Buffer.from(JSON.stringify(value)) });
  json('oci-layout', 0o444, { imageLayoutVersion: '1.0.0' });
  for (const descriptor of images.flatMap((image) => image.blobs)) {
    const { algorithm } = splitDigest(descriptor.digest);
    for (const name of ['blobs/', `blobs/${algorithm}/`])
      add({ name, mode: 0o755, type: 'directory', content: Buffer.alloc(0) });
    add({ name: blobName(descriptor.digest), mode: 0o444, type: 'file', content: descriptor });
  }
  json('index.json', 0o644, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: images.map((image) => ordered(image.target)),
  });
  const docker = dockerManifest(images);
  if (docker.length > 0) json('manifest.json', 0o644, docker);
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

function dockerManifest(images: readonly ImageToWrite[]): readonly object[] {
  const byManifest = new Map<Digest, { Config: string; RepoTags: string[] | null; Layers: string[] | null }>();
  for (const { docker, familiarName } of images) {
    if (docker === undefined) continue;
    const entry = byManifest.get(docker.digest) ?? {
      Config: blobName(docker.config),
      RepoTags: null,
      Layers: docker.layers.length === 0 ? null : docker.layers.map(blobName),
    };
    byManifest.set(docker.digest, entry);
    if (familiarName !== undefined) entry.RepoTags = [...(entry.RepoTags ?? []), familiarName];
  }
  return [...byManifest.values()];
}

/** The fields in the order in which Go's image-spec writes them, annotations sorted. */
function ordered(descriptor: Descriptor): Descriptor {
  const { mediaType, digest, size, urls, annotations, data, platform, artifactType, ...rest } = descriptor;
  const sorted = Object.fromEntries(Object.entries(annotations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(Object.keys(sorted).length === 0 ? {} : { annotations: sorted }),
    ...(data === undefined ? {} : { data }),
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...rest,
  };
}
