import { randomBytes } from 'node:crypto';
import type { ChainId, DiffId, Digest } from '@wharf/kit';
import { applyLayer } from '@wharf/oci/layers/apply';
import { applyBehind, canApplyBehind } from '@wharf/oci/layers/apply-behind';
import type { ReadyLayer } from '@wharf/oci/layers/unpack';
import type { Follower } from '@wharf/oci/remote/downloads';
import type { Registries } from '@wharf/oci/remote/registries';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import type { Descriptor } from '@wharf/oci/spec/image';
import type { Lease } from './collector.ts';
import type { PullProgress } from './pull-progress.ts';
import type { ImageRoom } from './room.ts';
import type { LayersAhead } from './unpack.ts';

export interface PullLayersOptions {
  readonly room: ImageRoom;
  readonly registries: Registries;
  readonly repository: RemoteRepository;
  readonly lease: Lease;
  readonly progress: PullProgress;
  readonly signal: AbortSignal;
}

/** A layer to fetch, and what it is to become; `undefined` when it is not to be unpacked. */
export interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly place: { readonly diffId: DiffId; readonly chainId: ChainId } | undefined;
}

interface Job {
  readonly arrived: Promise<void>;
  readonly unpacked: Promise<ReadyLayer | undefined>;
}

/**
 * Fetches the layers of one image and unpacks each, by itself, while it still arrives.
 *
 * Invariants: what is unpacked counts only once its blob is in the store, verified; every snapshot made here is taken by `take` or
 * removed by disposal, which waits for all work.
 */
export class PullLayers implements LayersAhead, AsyncDisposable {
  readonly #options: PullLayersOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #jobs = new Map<Digest, Job>();
  readonly #taken = new Set<Digest>();

  constructor(options: PullLayersOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
  }

  /** Begins with a layer. */
  start(layer: WantedLayer): void {
    const { digest } = layer.descriptor;
    if (this.#jobs.has(digest)) return;
    const job = this.#run(layer);
    job.arrived.catch(() => undefined);
    job.unpacked.catch(() => undefined);
    this.#jobs.set(digest, job);
  }

  /** Resolves when the blob is in the store. Throws as `Downloads.fetch`. */
  async arrived(digest: Digest): Promise<void> {
    await this.#jobs.get(digest)?.arrived;
  }

  async take(digest: Digest): Promise<ReadyLayer | undefined> {
    const job = this.#jobs.get(digest);
    if (job === undefined || this.#taken.has(digest)) return undefined;
    this.#taken.add(digest);
    return await job.unpacked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const [digest, job] of this.#jobs) {
      await job.arrived.catch(() => undefined);
      const ready = await job.unpacked.catch(() => undefined);
      if (ready !== undefined && !this.#taken.has(digest)) await this.#options.room.snapshots.remove(ready.key);
    }
  }

  #run(layer: WantedLayer): Job {
    let behind: Promise<ReadyLayer | undefined> | undefined;
    const arrived = this.#arrive(layer, (path) => {
      const started = this.#behind(layer, path);
      behind = started?.ready;
      return started?.follower;
    });
    const unpacked = arrived.then(
      async () => (await behind) ?? (await this.#afterwards(layer)),
      async (error: unknown) => {
        await behind;
        throw error;
      },
    );
    return { arrived, unpacked };
  }

  async #arrive({ descriptor }: WantedLayer, follow: (path: string) => Follower | undefined): Promise<void> {
    const { registries, repository, lease, progress } = this.#options;
    const { digest, size } = descriptor;
    const there = await lease.adopt(digest);
    if (there !== undefined && there.sizeBytes === size) {
      progress.exists(digest);
      return;
    }
    await registries.downloads.fetch({
      repository,
      descriptor,
      commit: (writer, expected) => lease.commit(writer, expected),
      onProgress: (state) => progress.download(digest, state),
      follow,
      signal: this.#signal,
    });
    // Somebody else's download may have brought it.
    await lease.adopt(digest);
  }

  #isWanted({ place }: WantedLayer): boolean {
    const { snapshots } = this.#options.room;
    if (place === undefined || snapshots.name !== 'overlayfs') return false;
    return snapshots.stat(place.chainId)?.kind !== 'committed';
  }

  /** Unpacks behind the download. A failed attempt leaves nothing; the layer is then unpacked once it is there. */
  #behind(layer: WantedLayer, path: string) {
    const { place } = layer;
    const { snapshots } = this.#options.room;
    if (place === undefined || !this.#isWanted(layer) || !canApplyBehind()) return undefined;
    const key = `extract-${randomBytes(8).toString('hex')}`;
    let current: ReturnType<typeof applyBehind> | undefined;
    let until = 0;
    let ended: 'whole' | 'failed' | undefined;
    const mark = (): void => {
      if (current === undefined) return;
      current.watermark.advance(until);
      if (ended === 'whole') current.watermark.finish();
      if (ended === 'failed') current.watermark.fail();
    };
    const work = async (): Promise<ReadyLayer | undefined> => {
      await snapshots.prepare(key, '');
      try {
        const target = snapshots.layerDir(key);
        const isCheckedElsewhere = String(place.diffId) === layer.descriptor.digest;
        const options = { path, target, expectedDiffId: place.diffId, isCheckedElsewhere, signal: this.#signal };
        current = applyBehind(options);
        mark();
        return { key, applied: await current.applied };
      } catch {
        await snapshots.remove(key);
        return undefined;
      }
    };
    const follower: Follower = {
      advance: (bytes) => {
        until = bytes;
        mark();
      },
      finish: () => {
        ended = 'whole';
        mark();
        this.#options.progress.extracting(layer.descriptor.digest);
      },
      fail: () => {
        ended = 'failed';
        mark();
      },
    };
    return { follower, ready: work() };
  }

  async #afterwards(layer: WantedLayer): Promise<ReadyLayer | undefined> {
    const { room, progress } = this.#options;
    const { snapshots, content } = room;
    const { place, descriptor } = layer;
    if (place === undefined || !this.#isWanted(layer) || this.#signal.aborted) return undefined;
    progress.extracting(descriptor.digest);
    const key = `extract-${randomBytes(8).toString('hex')}`;
    await snapshots.prepare(key, '');
    try {
      const applied = await applyLayer({
        source: { path: content.path(descriptor.digest) },
        expectedDiffId: place.diffId,
        target: snapshots.layerDir(key),
        mode: 'upper',
        signal: this.#signal,
      });
      return { key, applied };
    } catch {
      // A layer that leans on those below, or a broken one: unpacking the image tells which, with its reasons.
      await snapshots.remove(key);
      return undefined;
    }
  }
}
