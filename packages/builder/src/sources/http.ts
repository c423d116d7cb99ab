import { createHash } from 'node:crypto';
import { open, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, redact, WharfError } from '@wharf/kit';
import { MAX_DOWNLOAD_BYTES } from '../limits.ts';
import type { HttpVertex } from '../plan/vertex.ts';

const FILE_MODE = 0o600;
/** Servers that tell builders from browsers know BuildKit's name (BuildKit, version `UserAgent`); ours stands after it. */
const USER_AGENT = 'buildkit/v0.26 wharf';

/**
 * Fetches what an ADD names by its URL into a directory: one file, mode 0600, its time the server's `Last-Modified` (Dockerfile
 * reference, "ADD"). Returns its digest. Throws `unavailable` where the server does not give it, `data-loss` on another checksum than asked for.
 */
export async function download(vertex: HttpVertex, directory: string, signal: AbortSignal): Promise<string> {
  const url = redact(vertex.url);
  const response = await fetch(vertex.url, {
    signal,
    redirect: 'follow',
    headers: { 'user-agent': USER_AGENT },
  }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new WharfError('unavailable', `failed to load "${url}": ${causeOf(error)}`, { cause: error });
  });
  if (!response.ok || response.body === null) {
    throw new WharfError('unavailable', `invalid response status ${response.status} for "${url}"`);
  }
  const [algorithm = 'sha256', wanted] = vertex.checksum.split(':');
  const hash = createHash(algorithm === '' ? 'sha256' : algorithm);
  const path = join(directory, vertex.filename);
  const file = await open(path, 'wx', FILE_MODE);
  try {
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.byteLength;
      if (bytes > MAX_DOWNLOAD_BYTES) {
        throw new WharfError(
          'resource-exhausted',
          `Cannot add "${url}": it is larger than ${MAX_DOWNLOAD_BYTES} bytes`,
        );
      }
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  const digest = hash.digest('hex');
  if (wanted !== undefined && wanted !== digest) {
    throw new WharfError('data-loss', `digest mismatch ${algorithm}:${digest} != ${vertex.checksum}`);
  }
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  if (!Number.isNaN(modified)) await utimes(path, modified / 1000, modified / 1000);
  return `${algorithm || 'sha256'}:${digest}`;
}

function causeOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
