import { type ChainId, type Digest, isDigest, isKind, type Logger, messageOf } from '@wharf/kit';
import type { BlobInfo, BlobWriter, ContentStore } from '@wharf/oci/content/content-store';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isManifestType } from '@wharf/oci/spec/media-types';
import type { ImageDocuments } from './documents.ts';
import { Gate } from './gate.ts';

/** What must stay besides what names point at. */
export interface ExtraRoots {
  readonly targets?: Iterable<Descriptor>;
  readonly digests?: Iterable<Digest>;
  readonly chainIds?: Iterable<ChainId>;
}

export interface Collected {
  readonly blobs: readonly BlobInfo[];
  readonly snapshots: readonly { readonly chainId: ChainId; readonly sizeBytes: number }[];
}

/** Keeps content alive for the time of one operation. Everything the operation stores or counts on goes through it. */
export interface Lease extends Disposable {
  keep(digest: Digest): void;
  keepSnapshot(chainId: ChainId): void;
  /** Commits a blob so that no collection can come between its appearance and its being kept. */
  commit(writer: BlobWriter, expected?: { readonly digest?: Digest; readonly sizeBytes?: number }): Promise<BlobInfo>;
  put(bytes: Uint8Array): Promise<BlobInfo>;
  /** Keeps a blob that is there already, or that can be made from a snapshot; `undefined` otherwise. */
  adopt(digest: Digest): Promise<BlobInfo | undefined>;
}

export interface CollectorDeps {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly documents: ImageDocuments;
  readonly roots: () => readonly Descriptor[];
  readonly sizeOf: (chainId: ChainId) => Promise<number>;
  readonly onSnapshotRemoved: (chainId: ChainId) => void;
  readonly onBlobRemoved: (digest: Digest) => void;
  /** Makes a blob that is not there yet; `undefined` when it cannot. */
  readonly make?: ((digest: Digest, lease: Lease) => Promise<BlobInfo | undefined>) | undefined;
  readonly log: Logger;
}

/**
 * Marks what the roots and leases reach, and sweeps the rest: blobs, and unpacked layers.
 *
 * Invariants: while a collection runs no lease commits a blob; names change without waiting for it, so whoever adds a name
 * holds a lease on its content until the name is there; snapshots that an active one stands on always stay.
 */
export class Collector {
  readonly #deps: CollectorDeps;
  readonly #gate = new Gate();
  readonly #leases = new Set<LeaseState>();
  readonly #extraRoots: (() => ExtraRoots | Promise<ExtraRoots>)[] = [];

  constructor(deps: CollectorDeps) {
    this.#deps = deps;
  }

  addRoots(provider: () => ExtraRoots | Promise<ExtraRoots>): void {
    this.#extraRoots.push(provider);
  }

  lease(): Lease {
    const state: LeaseState = { digests: new Set(), chainIds: new Set() };
    this.#leases.add(state);
    const commit = (work: () => Promise<BlobInfo>) =>
      this.#gate.shared(async () => {
        const info = await work();
        state.digests.add(info.digest);
        return info;
      });
    const lease: Lease = {
      keep: (digest) => void state.digests.add(digest),
      keepSnapshot: (chainId) => void state.chainIds.add(chainId),
      commit: (writer, expected) => commit(() => writer.commit(expected)),
      put: (bytes) => commit(() => this.#deps.content.put(bytes)),
      adopt: async (digest) => {
        const found = await this.#gate.shared(() => {
          state.digests.add(digest);
          return this.#deps.content.stat(digest);
        });
        return found ?? (await this.#deps.make?.(digest, lease));
      },
      [Symbol.dispose]: () => void this.#leases.delete(state),
    };
    return lease;
  }

  /** Removes all that nothing holds; returns what went. */
  collect(): Promise<Collected> {
    return this.#gate.exclusive(() => this.#collect());
  }

  async #collect(): Promise<Collected> {
    const marked = await this.#mark();
    const blobs: BlobInfo[] = [];
    for await (const info of this.#deps.content.list()) {
      // A lease may have been given more to keep since the marking.
      if (marked.digests.has(info.digest) || this.#isLeased(info.digest)) continue;
      await this.#deps.content.delete(info.digest);
      this.#deps.documents.forget(info.digest);
      this.#deps.onBlobRemoved(info.digest);
      blobs.push(info);
    }
    return { blobs, snapshots: await this.#sweepSnapshots(marked.chainIds) };
  }

  #isLeased(digest: Digest): boolean {
    return [...this.#leases].some((lease) => lease.digests.has(digest));
  }

  async #mark(): Promise<{ readonly digests: Set<Digest>; readonly chainIds: Set<string> }> {
    const digests = new Set<Digest>();
    const chains = new Set<string>();
    const targets = [...this.#deps.roots()];
    for (const provider of this.#extraRoots) {
      const extra = await provider();
      targets.push(...(extra.targets ?? []));
      for (const digest of extra.digests ?? []) digests.add(digest);
      for (const chainId of extra.chainIds ?? []) chains.add(chainId);
    }
    for (const target of targets) await this.#markTarget(target, digests, chains);
    for (const lease of this.#leases) {
      for (const digest of lease.digests) digests.add(digest);
      for (const chainId of lease.chainIds) chains.add(chainId);
    }
    return { digests, chainIds: chains };
  }

  async #markTarget(target: Descriptor, digests: Set<Digest>, chains: Set<string>): Promise<void> {
    for (const descriptor of await this.#deps.documents.reachable(target)) {
      digests.add(descriptor.digest);
      if (!isManifestType(descriptor.mediaType)) continue;
      const [config] = (await this.#deps.documents.children(descriptor)) ?? [];
      const image = config === undefined ? undefined : await this.#deps.documents.configIfPresent(config.digest);
      if (image !== undefined) for (const chainId of chainIds(image.rootfs.diff_ids)) chains.add(chainId);
    }
  }

  async #sweepSnapshots(marked: Set<string>): Promise<Collected['snapshots']> {
    const all = this.#deps.snapshots.list();
    const byKey = new Map(all.map((each) => [each.key, each]));
    const kept = new Set<string>();
    const keep = (key: string) => {
      for (let at = key; at !== '' && !kept.has(at); at = byKey.get(at)?.parent ?? '') kept.add(at);
    };
    for (const each of all) if (each.kind === 'active' || marked.has(each.key)) keep(each.key);
    for (const lease of this.#leases) for (const chainId of lease.chainIds) keep(chainId);
    const removed: { chainId: ChainId; sizeBytes: number }[] = [];
    const doomed = all.filter((each) => !kept.has(each.key));
    // Children first: a snapshot with others on it cannot go.
    const depth = (key: string): number => 1 + (byKey.has(key) ? depth(byKey.get(key)?.parent ?? '') : 0);
    for (const each of doomed.sort((a, b) => depth(b.key) - depth(a.key))) {
      if (!isDigest(each.key)) continue;
      const chainId = each.key as unknown as ChainId;
      const sizeBytes = await this.#deps.sizeOf(chainId);
      try {
        await this.#deps.snapshots.remove(each.key);
      } catch (error) {
        if (!isKind(error, 'failed-precondition')) throw error;
        this.#deps.log.debug({ chainId, error: messageOf(error) }, 'an unpacked layer came into use and stays');
        continue;
      }
      this.#deps.onSnapshotRemoved(chainId);
      removed.push({ chainId, sizeBytes });
    }
    return removed;
  }
}

interface LeaseState {
  readonly digests: Set<Digest>;
  readonly chainIds: Set<ChainId>;
}
