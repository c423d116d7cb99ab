import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, hasErrno, isDigest, splitDigest, WharfError } from '@wharf/kit';
import { FsBlobWriter } from './blob-writer.ts';
import type { BlobInfo, BlobWriter, ContentStore, WriterOptions } from './content-store.ts';
import { READ_LIMIT_BYTES, RESUME_KEEP_MS } from './limits.ts';

const ALGORITHMS = ['sha256', 'sha512'] as const;
const RESUME_PREFIX = 'resume-';

/**
 * Opens the content store under `root` (`blobs/<algorithm>/<hex>` and `ingest/`), makes its directories, and removes
 * what interrupted writers left, except resumable blobs younger than a day.
 */
export async function openContentStore(options: { readonly root: string }): Promise<ContentStore> {
  const { root } = options;
  await mkdir(join(root, 'ingest'), { recursive: true, mode: 0o711 });
  for (const algorithm of ALGORITHMS) await mkdir(join(root, 'blobs', algorithm), { recursive: true, mode: 0o711 });
  await removeAbandoned(join(root, 'ingest'));
  return new FsContentStore(root);
}

async function removeAbandoned(ingest: string): Promise<void> {
  for (const name of await readdir(ingest)) {
    const path = join(ingest, name);
    if (name.startsWith(RESUME_PREFIX)) {
      const { mtimeMs } = await stat(path);
      if (Date.now() - mtimeMs < RESUME_KEEP_MS) continue;
    }
    await rm(path, { force: true, recursive: true });
  }
}

/**
 * Blobs as files named by digest. A file under `blobs/` is whole, verified and durable, since it came there by a
 * rename after its fsync.
 */
class FsContentStore implements ContentStore {
  readonly #root: string;
  readonly #resuming = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  path(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#root, 'blobs', algorithm, hex);
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size } = await stat(this.path(digest));
      return { digest, sizeBytes: size };
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async open(
    digest: Digest,
    range: { readonly start: number; readonly endExclusive?: number } = { start: 0 },
  ): Promise<Readable> {
    const file = await this.#openFile(digest);
    const { start, endExclusive } = range;
    const end = endExclusive === undefined ? {} : { end: Math.max(start, endExclusive) - 1 };
    if (endExclusive !== undefined && endExclusive <= start) {
      await file.close();
      return createReadStream('/dev/null');
    }
    return file.createReadStream({ start, ...end, highWaterMark: 1024 * 1024 });
  }

  async read(digest: Digest, limitBytes: number = READ_LIMIT_BYTES): Promise<Buffer> {
    await using file = await this.#openFile(digest);
    const { size } = await file.stat();
    if (size > limitBytes) {
      throw new WharfError(
        'resource-exhausted',
        `Cannot read blob "${digest}": it has ${size} bytes, the limit is ${limitBytes}`,
      );
    }
    return file.readFile();
  }

  async writer(options: WriterOptions = {}): Promise<BlobWriter> {
    const { algorithm = 'sha256', resumeKey, onWritten } = options;
    const name = resumeKey === undefined ? randomBytes(16).toString('hex') : resumeName(resumeKey);
    if (this.#resuming.has(name)) {
      throw new WharfError('unavailable', `Cannot write the blob of "${resumeKey}": another writer is at it`);
    }
    if (resumeKey !== undefined) this.#resuming.add(name);
    const temporaryPath = join(this.#root, 'ingest', name);
    let file: FileHandle | undefined;
    try {
      file = await openTemporary(temporaryPath, resumeKey !== undefined);
      const resumedBytes = resumeKey === undefined ? 0 : (await file.stat()).size;
      return new FsBlobWriter({
        file,
        temporaryPath,
        algorithm,
        resumedBytes,
        resumable: resumeKey !== undefined,
        blobPath: (digest) => this.path(digest),
        syncDirectory: (each) => syncDirectory(join(this.#root, 'blobs', each)),
        onWritten,
        onEnd: () => this.#resuming.delete(name),
      });
    } catch (error) {
      await file?.close();
      this.#resuming.delete(name);
      throw error;
    }
  }

  async put(bytes: Uint8Array): Promise<BlobInfo> {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    if (isDigest(digest)) {
      const there = await this.stat(digest);
      if (there?.sizeBytes === bytes.length) return there;
    }
    await using writer = await this.writer();
    await writer.write(bytes);
    return await writer.commit();
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const algorithm of ALGORITHMS) {
      for await (const entry of await opendir(join(this.#root, 'blobs', algorithm))) {
        const digest = `${algorithm}:${entry.name}`;
        if (!isDigest(digest)) continue;
        const info = await this.stat(digest);
        if (info) yield info;
      }
    }
  }

  async #openFile(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.path(digest), 'r');
    } catch (error) {
      if (hasErrno(error, 'ENOENT'))
        throw new WharfError('not-found', `Cannot read blob "${digest}": it is not in the store`, { cause: error });
      throw error;
    }
  }
}

async function openTemporary(path: string, resume: boolean): Promise<FileHandle> {
  if (resume) {
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
  try {
    return await open(path, 'wx+', 0o644);
  } catch (error) {
    if (hasErrno(error, 'ENOSPC', 'EDQUOT')) {
      throw new WharfError('resource-exhausted', 'Cannot store blob: no space left on device', { cause: error });
    }
    throw error;
  }
}

/** The digest where the key is one, so that people see what a file is to become. */
function resumeName(key: string): string {
  if (isDigest(key)) return RESUME_PREFIX + key.replace(':', '-');
  return RESUME_PREFIX + createHash('sha256').update(key).digest('hex').slice(0, 32);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
