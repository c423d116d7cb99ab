import { posix } from 'node:path';
import { type Digest, isDigest, WharfError } from '@wharf/kit';
import type { BlobInfo } from '../content/content-store.ts';
import { decompress, peekCompression } from '../layers/compression.ts';
import { toText } from '../tar/bytes.ts';
import { readTar, type TarMember } from '../tar/read.ts';
import type { ArchiveContents } from './contents.ts';
import { dockerImages } from './docker-manifest.ts';
import type { ArchivedImage, ArchiveProgress, BlobSink } from './image-archive.ts';
import { layoutImages } from './layout-index.ts';
import { ARCHIVE_DOCUMENT_BYTES, ARCHIVE_ENTRIES, PENDING_COMMITS } from './limits.ts';

/** Small documents that are read, not stored. */
const documentNames = new Set(['oci-layout', 'index.json', 'manifest.json']);
/** Left by Docker before 1.10 beside each layer; nothing refers to them. */
const ignoredNames = new Set(['repositories', 'VERSION', 'json']);

/**
 * Reads `docker save`'s archives (OCI layout, docker-archive, both in one; compressed or not) in one pass: blobs go straight
 * into the store, whatever the order of the members. Throws `data-loss` for a broken archive, `invalid-argument` for one
 * that is no image archive; what was stored by then is for the caller's lease to let go.
 */
export async function readImageArchive(options: {
  readonly source: AsyncIterable<Uint8Array>;
  readonly sink: BlobSink;
  readonly onProgress?: (progress: ArchiveProgress) => void;
}): Promise<readonly ArchivedImage[]> {
  const { sink } = options;
  const { stream, compression } = await peekCompression(options.source);
  const contents = await takeMembers(decompress(stream, compression), sink, options.onProgress ?? (() => undefined));
  if (contents.documents.has('oci-layout')) return layoutImages(contents);
  if (contents.documents.has('manifest.json')) return await dockerImages(contents, sink);
  throw new WharfError('invalid-argument', 'unrecognized image format');
}

async function takeMembers(
  stream: AsyncIterable<Uint8Array>,
  sink: BlobSink,
  onProgress: (progress: ArchiveProgress) => void,
): Promise<ArchiveContents> {
  const documents = new Map<string, Buffer>();
  const blobs = new Map<string, BlobInfo>();
  const links = new Map<string, string>();
  const commits = new Commits();
  let count = 0;
  try {
    for await (const member of readTar(stream)) {
      count += 1;
      if (count > ARCHIVE_ENTRIES)
        throw new WharfError(
          'resource-exhausted',
          `Cannot read image archive: it has more than ${ARCHIVE_ENTRIES} members`,
        );
      const name = cleanName(toText(member.entry.name));
      if (member.entry.type === 'symlink')
        links.set(name, posix.join(posix.dirname(name), toText(member.entry.linkName)));
      if (member.entry.type === 'link') links.set(name, cleanName(toText(member.entry.linkName)));
      if (member.entry.type !== 'file' || ignoredNames.has(posix.basename(name))) continue;
      if (documentNames.has(name)) documents.set(name, await takeDocument(name, member));
      else await takeBlob({ name, member, sink, commits, onProgress, blobs });
    }
    await commits.settled();
  } catch (error) {
    await commits.quiet();
    throw error;
  }
  for (const [name, target] of links) {
    const blob = blobs.get(target);
    if (blob) blobs.set(name, blob);
  }
  return { documents, blobs };
}

function cleanName(name: string): string {
  return posix
    .normalize(name)
    .replace(/^\/+|\/+$/g, '')
    .replace(/^(\.\.\/)+/, '');
}

async function takeDocument(name: string, member: TarMember): Promise<Buffer> {
  if (member.entry.sizeBytes > ARCHIVE_DOCUMENT_BYTES) {
    throw new WharfError(
      'resource-exhausted',
      `Cannot read image archive: "${name}" has more than ${ARCHIVE_DOCUMENT_BYTES} bytes`,
    );
  }
  const parts: Buffer[] = [];
  for await (const chunk of member.content) parts.push(chunk);
  return Buffer.concat(parts);
}

/** The digest that a member's name promises (`blobs/sha256/<hex>`). */
function promisedDigest(name: string): Digest | undefined {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name);
  const digest = match ? `${match[1]}:${match[2]}` : '';
  return isDigest(digest) ? digest : undefined;
}

async function takeBlob(given: {
  readonly name: string;
  readonly member: TarMember;
  readonly sink: BlobSink;
  readonly commits: Commits;
  readonly onProgress: (progress: ArchiveProgress) => void;
  readonly blobs: Map<string, BlobInfo>;
}): Promise<void> {
  const { name, member, sink, commits, onProgress, blobs } = given;
  const totalBytes = member.entry.sizeBytes;
  const digest = promisedDigest(name);
  if (name.startsWith('blobs/') && digest === undefined) return;
  const known = digest === undefined ? undefined : await sink.adopt(digest);
  if (known && known.sizeBytes === totalBytes) {
    blobs.set(name, known);
    return;
  }
  const writer = await sink.writer(digest?.startsWith('sha512:') ? 'sha512' : 'sha256');
  const id = digest === undefined ? name : digest.slice(digest.indexOf(':') + 1, digest.indexOf(':') + 13);
  try {
    let currentBytes = 0;
    for await (const chunk of member.content) {
      await writer.write(chunk);
      currentBytes += chunk.length;
      onProgress({ id, currentBytes, totalBytes });
    }
  } catch (error) {
    await writer.abort();
    throw error;
  }
  const expected = { sizeBytes: totalBytes, ...(digest === undefined ? {} : { digest }) };
  await commits.add(sink.commit(writer, expected).then((info) => void blobs.set(name, info)));
}

/** Commits under way: the fsync of one blob runs while the next one arrives. */
class Commits {
  readonly #pending = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  async add(commit: Promise<void>): Promise<void> {
    const tracked = commit.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    const entry = tracked.then(() => void this.#pending.delete(entry));
    this.#pending.add(entry);
    if (this.#pending.size >= PENDING_COMMITS) await Promise.race(this.#pending);
    if (this.#failure) throw this.#failure.error;
  }

  async settled(): Promise<void> {
    await this.quiet();
    if (this.#failure) throw this.#failure.error;
  }

  async quiet(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
