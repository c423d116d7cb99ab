import { join } from 'node:path';
import { type Clock, type Logger, systemClock } from '@wharf/kit';
import { openStore, type Store } from '@wharf/store';
import type { Call } from './http/call.ts';
import { RegistryServer } from './http/server.ts';
import { GRACE_MS, UPLOAD_TTL_MS } from './limits.ts';
import { Catalog } from './model/catalog.ts';
import { Claims, Leases } from './model/claims.ts';
import { ManifestCache } from './model/manifest-cache.ts';
import { type Access, openAccess } from './plug/access.ts';
import type { Extension } from './plug/extension.ts';
import type { Guard } from './plug/guard.ts';
import type { Donor, RegistryContext } from './routes/context.ts';
import { openFileStorage } from './storage/file-storage.ts';
import type { BlobStorage } from './storage/storage.ts';
import { type CollectionReport, collect } from './upkeep/collect.ts';
import { type ScrubOptions, type ScrubReport, scrub } from './upkeep/scrub.ts';
import { UploadSessions } from './uploads/sessions.ts';

export interface RegistryOptions {
  /** Everything durable lies here: `registry.db`, `blobs/`, `ingest/`. */
  readonly root: string;
  readonly version: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly access?: Access;
  readonly guards?: readonly Guard[];
  /** Made once the parts they stand on are there. */
  readonly extensions?: (parts: RegistryParts) => readonly Extension[];
  /** The same for what brings all three kinds; its access takes the place of `access`. */
  readonly plugins?: (parts: RegistryParts) => Promise<Plugins>;
  readonly donor?: Donor;
  readonly storage?: BlobStorage;
  readonly sparseIndexes?: boolean;
  /** What nobody refers to stays for so long after its last use. */
  readonly graceMs?: number;
  readonly uploadTtlMs?: number;
  /** Told of every answer: access log, metrics. */
  readonly observe?: (call: Call, route: string) => void;
}

export interface Plugins {
  readonly access?: Access;
  readonly guards?: readonly Guard[];
  readonly extensions?: readonly Extension[];
}

/** What extensions build on. */
export interface RegistryParts {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly storage: BlobStorage;
  readonly claims: Claims;
  readonly leases: Leases;
  readonly log: Logger;
  readonly now: () => number;
}

export interface Registry {
  readonly server: RegistryServer;
  readonly context: RegistryContext;
  readonly store: Store;
  /** Collects garbage once, beside everything else; a second call while one runs joins it. */
  collect(options?: { readonly dryRun?: boolean }): Promise<CollectionReport>;
  /** Reads every blob again and compares it with its digest; what is damaged is reported, and moved out of the way when `repair` is set. */
  verify(options?: ScrubOptions): Promise<ScrubReport>;
  /** Stops listening, gives requests `graceMs`, parks uploads and closes the store. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/**
 * Opens the registry under a root; nothing listens yet. Throws `failed-precondition` while another process has it open.
 */
export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  const { root, version, log, clock = systemClock } = options;
  const now = (): number => Number(clock.nowNs() / 1_000_000n);
  const store = openStore({ path: join(root, 'registry.db') });
  try {
    const storage = options.storage ?? (await openFileStorage({ root }));
    // Those of the plug-ins come in below: they stand on the catalog.
    const guards: Guard[] = [...(options.guards ?? [])];
    const catalog = new Catalog({ store, guards, now });
    const claims = new Claims();
    const leases = new Leases({ now, graceMs: options.graceMs ?? GRACE_MS });
    const uploads = new UploadSessions({ catalog, storage, now });
    const parts: RegistryParts = { store, catalog, storage, claims, leases, log, now };
    const plugins = (await options.plugins?.(parts)) ?? {};
    guards.push(...(plugins.guards ?? []));
    const access = plugins.access ?? options.access ?? openAccess;
    const extensions = [...(plugins.extensions ?? []), ...(options.extensions?.(parts) ?? [])];
    const context: RegistryContext = {
      ...{ catalog, storage, uploads, claims, leases, access, guards, extensions, clock, log, now },
      manifests: new ManifestCache(storage),
      donor: options.donor,
      sparseIndexes: options.sparseIndexes ?? false,
    };
    const server = new RegistryServer({ context, version, log, observe: options.observe ?? (() => {}) });
    let collecting: Promise<CollectionReport> | undefined;
    return {
      ...{ server, context, store },
      collect({ dryRun = false } = {}) {
        collecting ??= collect(context, { dryRun, uploadTtlMs: options.uploadTtlMs ?? UPLOAD_TTL_MS }).finally(() => {
          collecting = undefined;
        });
        return collecting;
      },
      verify: (wanted = {}) => scrub(context, wanted),
      async close({ graceMs = 0 } = {}) {
        await server.close({ graceMs });
        for (const extension of extensions) await extension.close?.();
        await uploads.close();
        store.close();
      },
    };
  } catch (error) {
    store.close();
    throw error;
  }
}
