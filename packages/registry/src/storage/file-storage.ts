import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, hasErrno, isDigest, splitDigest } from '@wharf/kit';
import { registryError } from '../errors.ts';
import { storageFailure } from './failures.ts';
import { type FileOperations, realFiles } from './file-operations.ts';
import { FileUpload } from './file-upload.ts';
import type { Algorithm, BlobSource, BlobStorage, BlobUpload, StoredBlob } from './storage.ts';

const ALGORITHMS: readonly Algorithm[] = ['sha256', 'sha512'];
const UPLOAD = 'upload-';

/**
 * Opens the blobs under `root`: `blobs/<algorithm>/<hex>`, and `ingest/` for what is on its way. Makes the directories, and removes what
 * interrupted writers of small blobs left; half uploads stay.
 */
export async function openFileStorage(options: {
  readonly root: string;
  readonly files?: FileOperations;
}): Promise<BlobStorage> {
  const { root, files = realFiles } = options;
  const ingest = join(root, 'ingest');
  await mkdir(ingest, { recursive: true, mode: 0o700 });
  for (const algorithm of ALGORITHMS) await mkdir(join(root, 'blobs', algorithm), { recursive: true, mode: 0o700 });
  for (const name of await readdir(ingest)) if (!name.startsWith(UPLOAD)) await files.remove(join(ingest, name));
  return new FileStorage(root, files);
}

/**
 * A file under `blobs/` is whole and verified: it comes there by a rename (or a link) after its fsync. It is durable too, unless the fsync of
 * the directory failed: until one has succeeded for it, `stat` does not know it, so that nobody builds on it.
 */
class FileStorage implements BlobStorage {
  readonly #root: string;
  readonly #files: FileOperations;
  readonly #open = new Set<string>();
  readonly #doubtful = new Set<Digest>();

  constructor(root: string, files: FileOperations) {
    this.#root = root;
    this.#files = files;
  }

  async stat(digest: Digest): Promise<StoredBlob | undefined> {
    return this.#doubtful.has(digest) ? undefined : this.#statFile(digest);
  }

  async #statFile(digest: Digest): Promise<StoredBlob | undefined> {
    try {
      const { size } = await stat(this.#path(digest));
      return { digest, sizeBytes: size };
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) return undefined;
      throw storageFailure('look for the blob', error);
    }
  }

  async open(digest: Digest, range?: { readonly start: number; readonly endExclusive: number }): Promise<BlobSource> {
    return new FileSource(await this.#openBlob(digest), range?.start ?? 0, range?.endExclusive);
  }

  async read(digest: Digest): Promise<Buffer> {
    try {
      return await readFile(this.#path(digest));
    } catch (error) {
      throw readFailure(digest, error);
    }
  }

  async put(digest: Digest, bytes: Uint8Array): Promise<void> {
    const path = join(this.#root, 'ingest', `small-${randomBytes(12).toString('hex')}`);
    try {
      if ((await this.stat(digest))?.sizeBytes === bytes.length) {
        // It may be there by a rename that nothing has made durable yet.
        await this.#files.syncDirectory(this.#folder(digest));
        return;
      }
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await this.#files.datasync(file);
      } finally {
        await file.close();
      }
      await this.#moveIn(path, digest);
    } catch (error) {
      await this.#files.remove(path).catch(() => {});
      throw storageFailure('store the blob', error);
    }
  }

  async adopt(digest: Digest, path: string): Promise<StoredBlob | undefined> {
    try {
      await this.#files.link(path, this.#path(digest)).catch((error: unknown) => {
        if (!hasErrno(error, 'EEXIST')) throw error;
      });
      await this.#syncName(digest);
    } catch (error) {
      // Another file system, or a file system without links: the bytes then come over the wire.
      if (hasErrno(error, 'ENOENT', 'EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP')) return undefined;
      throw storageFailure('adopt the blob', error);
    }
    return this.stat(digest);
  }

  async delete(digest: Digest): Promise<void> {
    await this.#files.remove(this.#path(digest));
    this.#doubtful.delete(digest);
  }

  async *list(): AsyncIterable<StoredBlob> {
    for (const algorithm of ALGORITHMS) {
      for await (const entry of await opendir(join(this.#root, 'blobs', algorithm))) {
        const digest = `${algorithm}:${entry.name}`;
        const found = isDigest(digest) ? await this.#statFile(digest) : undefined;
        if (found !== undefined) yield found;
      }
    }
  }

  async upload(id: string, algorithm: Algorithm): Promise<BlobUpload> {
    const path = this.#uploadPath(id);
    if (this.#open.has(id)) throw registryError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload');
    this.#open.add(id);
    let file: FileHandle | undefined;
    try {
      file = await openUpload(path);
      const resumedBytes = (await file.stat()).size;
      return new FileUpload({
        ...{ file, path, algorithm, resumedBytes, files: this.#files },
        moveIn: (from, digest) => this.#moveIn(from, digest),
        onEnd: () => this.#open.delete(id),
      });
    } catch (error) {
      await file?.close();
      this.#open.delete(id);
      throw storageFailure('begin the upload', error);
    }
  }

  async listUploads(): Promise<readonly string[]> {
    const names = await readdir(join(this.#root, 'ingest'));
    return names.flatMap((name) => (name.startsWith(UPLOAD) ? [name.slice(UPLOAD.length)] : []));
  }

  async discardUpload(id: string): Promise<void> {
    await this.#files.remove(this.#uploadPath(id));
  }

  /** Puts a synced file in place. What is there already has the same content, since its name says so. */
  async #moveIn(path: string, digest: Digest): Promise<void> {
    await this.#files.rename(path, this.#path(digest));
    await this.#syncName(digest);
  }

  async #syncName(digest: Digest): Promise<void> {
    this.#doubtful.add(digest);
    await this.#files.syncDirectory(this.#folder(digest));
    this.#doubtful.delete(digest);
  }

  #folder(digest: Digest): string {
    return join(this.#root, 'blobs', splitDigest(digest).algorithm);
  }

  #path(digest: Digest): string {
    return join(this.#folder(digest), splitDigest(digest).hex);
  }

  #uploadPath(id: string): string {
    if (!/^[0-9a-f-]{36}$/.test(id)) throw registryError('BLOB_UPLOAD_UNKNOWN', 'there is no such upload');
    return join(this.#root, 'ingest', UPLOAD + id);
  }

  async #openBlob(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.#path(digest), 'r');
    } catch (error) {
      throw readFailure(digest, error);
    }
  }
}

class FileSource implements BlobSource {
  readonly #file: FileHandle;
  readonly #end: number | undefined;
  #position: number;

  constructor(file: FileHandle, start: number, endExclusive: number | undefined) {
    this.#file = file;
    this.#position = start;
    this.#end = endExclusive;
  }

  async read(into: Uint8Array): Promise<number> {
    const length = this.#end === undefined ? into.length : Math.min(into.length, this.#end - this.#position);
    if (length <= 0) return 0;
    const { bytesRead } = await this.#file.read(into, 0, length, this.#position);
    this.#position += bytesRead;
    return bytesRead;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function openUpload(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    return open(path, 'wx+', 0o600);
  }
}

function readFailure(digest: Digest, error: unknown): Error {
  if (hasErrno(error, 'ENOENT'))
    return registryError('BLOB_UNKNOWN', 'blob unknown to registry', { detail: { digest } });
  return storageFailure('read the blob', error);
}
