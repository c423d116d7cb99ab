import { createHash } from 'node:crypto';
import { type Digest, messageOf, splitDigest } from '@wharf/kit';
import { LARGE_BUFFER_BYTES } from '../limits.ts';
import type { Identity } from '../plug/access.ts';
import type { RegistryContext } from '../routes/context.ts';

export interface Damage {
  readonly digest: Digest;
  readonly what: 'content' | 'missing' | 'unreadable';
  /** Who has lost it. */
  readonly repositories: readonly string[];
}

export interface ScrubReport {
  readonly blobs: number;
  readonly bytes: number;
  readonly damaged: readonly Damage[];
}

export interface ScrubOptions {
  readonly repair?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told after every blob how far it is. */
  readonly onProgress?: (soFar: { readonly blobs: number; readonly bytes: number; readonly damaged: number }) => void;
}

const SCRUBBER: Identity = { name: 'system:verify', anonymous: false, allows: () => true };

/**
 * Reads every blob and compares it with its digest, and looks for what the catalog names and the storage lacks. With `repair` a damaged file
 * is deleted and its repositories no longer say they have it, so that the next push of the image brings it back; manifests and tags stay.
 */
export async function scrub(
  context: RegistryContext,
  { repair = false, signal, onProgress }: ScrubOptions = {},
): Promise<ScrubReport> {
  const { catalog, storage } = context;
  const damaged: Damage[] = [];
  const seen = new Set<Digest>();
  let bytes = 0;
  const report = async (digest: Digest, what: Damage['what']): Promise<void> => {
    const repositories = [...catalog.usersOf(digest)];
    damaged.push({ digest, what, repositories });
    if (!repair) return;
    await storage.delete(digest);
    for (const repository of repositories) catalog.unlinkBlob({ repository, digest, identity: SCRUBBER });
  };
  for await (const { digest, sizeBytes } of storage.list()) {
    signal?.throwIfAborted();
    seen.add(digest);
    bytes += sizeBytes;
    const what = await check(context, digest, signal);
    if (what !== undefined) await report(digest, what);
    onProgress?.({ blobs: seen.size, bytes, damaged: damaged.length });
  }
  for (const table of [catalog.links, catalog.manifests]) {
    for (const { key } of table.list()) {
      const digest = key.slice(key.indexOf('@') + 1) as Digest;
      if (seen.has(digest)) continue;
      seen.add(digest);
      // It may have come while the others were read.
      if ((await storage.stat(digest)) === undefined && catalog.usersOf(digest).size > 0)
        await report(digest, 'missing');
    }
  }
  await catalog.committed();
  return { blobs: seen.size, bytes, damaged };
}

async function check(
  { storage, log }: RegistryContext,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Damage['what'] | undefined> {
  const { algorithm, hex } = splitDigest(digest);
  try {
    await using source = await storage.open(digest);
    const hash = createHash(algorithm);
    const buffer = Buffer.allocUnsafe(LARGE_BUFFER_BYTES);
    for (let count = await source.read(buffer); count > 0; count = await source.read(buffer)) {
      signal?.throwIfAborted();
      hash.update(buffer.subarray(0, count));
    }
    return hash.digest('hex') === hex ? undefined : 'content';
  } catch (error) {
    signal?.throwIfAborted();
    if ((await storage.stat(digest)) === undefined) return undefined;
    log.error({ digest, error: messageOf(error) }, 'a blob cannot be read');
    return 'unreadable';
  }
}
