import { type Digest, messageOf } from '@wharf/kit';
import type { Table } from '@wharf/store';
import { MAX_EVENTS } from '../limits.ts';
import type { Identity } from '../plug/access.ts';
import type { RegistryContext } from '../routes/context.ts';
import { slices } from './slices.ts';

export interface CollectionReport {
  readonly uploads: number;
  readonly links: number;
  readonly referrers: number;
  readonly repositories: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

type Counts = { -readonly [K in keyof CollectionReport]: CollectionReport[K] };

/** In whose name the collector changes things. */
export const COLLECTOR: Identity = { name: 'system:gc', anonymous: false, allows: () => true };

const PAGE = 500;

/**
 * Removes what nobody needs, while pushes go on; decision 0013 says why that is safe. Each step may be cut short by a crash and is simply
 * done again. With `dryRun` nothing changes and the report says what would.
 */
export async function collect(
  context: RegistryContext,
  options: { readonly dryRun: boolean; readonly uploadTtlMs: number },
): Promise<CollectionReport> {
  const counts: Counts = { uploads: 0, links: 0, referrers: 0, repositories: 0, blobs: 0, blobBytes: 0 };
  await dropUploads(context, options, counts);
  await dropReferrers(context, options.dryRun, counts);
  await dropLinks(context, options.dryRun, counts);
  await dropRepositories(context, options.dryRun, counts);
  // A file may go only when the disk knows that nobody names it.
  await context.catalog.committed();
  await dropBlobs(context, options.dryRun, counts);
  context.leases.sweep();
  const { events } = context.catalog;
  if (!options.dryRun && events.last > MAX_EVENTS) events.trim(events.last - MAX_EVENTS);
  await context.catalog.committed();
  return counts;
}

async function dropUploads(
  { catalog, uploads, storage, now }: RegistryContext,
  { dryRun, uploadTtlMs }: { readonly dryRun: boolean; readonly uploadTtlMs: number },
  counts: Counts,
): Promise<void> {
  const drop = async (id: string) => {
    counts.uploads += 1;
    if (!dryRun) await uploads.drop(id);
  };
  const yieldNow = slices();
  for (const { key, value } of pages(catalog.uploads)) {
    await yieldNow();
    if (!uploads.isBusy(key) && now() - uploads.lastUse(key, value) > uploadTtlMs) await drop(key);
  }
  // Bytes without a record: the crash came before the record was on disk.
  for (const id of await storage.listUploads()) if (catalog.uploads.get(id) === undefined) await drop(id);
}

/** Untagged referrers whose subject is gone, and then those that refer to them. */
async function dropReferrers({ catalog, leases }: RegistryContext, dryRun: boolean, counts: Counts): Promise<void> {
  const yieldNow = slices();
  for (let found = true; found; ) {
    found = false;
    for (const { key, value } of pages(catalog.manifests)) {
      await yieldNow();
      const [repository, digest] = splitKey(key);
      if (value.subject === undefined || catalog.manifest(repository, digest) === undefined) continue;
      const orphan =
        catalog.manifest(repository, value.subject) === undefined &&
        catalog.tagsOf(repository, digest).length === 0 &&
        !catalog.isNeeded(repository, digest) &&
        !leases.isLeased(key, value.at);
      if (!orphan) continue;
      counts.referrers += 1;
      if (dryRun) continue;
      found = attempt(() => catalog.deleteManifest({ repository, digest, identity: COLLECTOR })) || found;
    }
  }
}

async function dropLinks({ catalog, leases }: RegistryContext, dryRun: boolean, counts: Counts): Promise<void> {
  const yieldNow = slices();
  for (const { key, value } of pages(catalog.links)) {
    await yieldNow();
    const [repository, digest] = splitKey(key);
    if (catalog.isNeeded(repository, digest) || leases.isLeased(key, value.at)) continue;
    counts.links += 1;
    if (!dryRun) attempt(() => catalog.unlinkBlob({ repository, digest, identity: COLLECTOR }));
  }
}

async function dropRepositories(
  { catalog, leases, uploads }: RegistryContext,
  dryRun: boolean,
  counts: Counts,
): Promise<void> {
  const yieldNow = slices();
  for (const { key, value } of pages(catalog.repositories)) {
    await yieldNow();
    if (!catalog.isEmpty(key) || uploads.countOf(key) > 0 || leases.isLeased(key, value.createdAt)) continue;
    counts.repositories += 1;
    if (!dryRun) catalog.dropRepository(key, COLLECTOR.name);
  }
}

async function dropBlobs(
  { catalog, storage, claims, log }: RegistryContext,
  dryRun: boolean,
  counts: Counts,
): Promise<void> {
  const isNeeded = (digest: Digest) => catalog.usersOf(digest).size > 0 || catalog.isKept(digest);
  const yieldNow = slices();
  for await (const { digest, sizeBytes } of storage.list()) {
    await yieldNow();
    if (isNeeded(digest) || claims.isClaimed(digest)) continue;
    try {
      const gone =
        dryRun ||
        (await claims.remove(
          digest,
          () => isNeeded(digest),
          () => storage.delete(digest),
        ));
      if (!gone) continue;
      counts.blobs += 1;
      counts.blobBytes += sizeBytes;
    } catch (error) {
      log.warn({ digest, error: messageOf(error) }, 'a blob nobody needs could not be deleted');
    }
  }
}

/** A guard (a lock, say) may keep what the collector would remove. */
function attempt(work: () => boolean): boolean {
  try {
    return work();
  } catch {
    return false;
  }
}

/** All documents of a table, page by page, so that it may change meanwhile. */
function* pages<T>(table: Table<T>): Generator<{ readonly key: string; readonly value: T }> {
  let after: string | undefined;
  for (;;) {
    const page = table.range({ limit: PAGE, ...(after === undefined ? {} : { after }) });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.key;
  }
}

function splitKey(key: string): [repository: string, digest: Digest] {
  const at = key.indexOf('@');
  return [key.slice(0, at), key.slice(at + 1) as Digest];
}
