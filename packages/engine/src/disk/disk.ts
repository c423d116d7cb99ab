import { basename, dirname } from 'node:path';
import { type Clock, isKind, type Logger, messageOf, parseRfc3339, WharfError } from '@wharf/kit';
import { statfs } from '@wharf/linux/fsx';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { WorkerPool } from '@wharf/oci/workers/pool';
import type { Store, Table } from '@wharf/store';
import type { ContainerService } from '../containers/container-service.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { Images } from '../images/images.ts';
import { type Account, accountFor, type Books } from './account.ts';
import { type Candidate, type CollectionConfig, type CollectionPlan, planCollection } from './collection-plan.ts';
import { MAX_REMOVALS, WATCH_INTERVAL_MS } from './limits.ts';

export interface DiskServiceOptions {
  readonly dataRoot: string;
  readonly store: Store;
  readonly events: EventBus;
  readonly snapshots: Snapshotter;
  readonly images: Pick<Images, 'diskUsage' | 'remove' | 'collect'>;
  readonly containers: Pick<ContainerService, 'list' | 'find' | 'size' | 'remove'>;
  /** The names of local volumes. */
  readonly volumes: () => readonly string[];
  /** Off when absent. */
  readonly collection: CollectionConfig | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What was done to make room. */
export interface CollectionReport {
  readonly removed: readonly { readonly kind: string; readonly id: string; readonly reason: string }[];
  readonly reclaimedBytes: number;
}

/** Where the bytes are, and how to get some back. */
export interface DiskService {
  /** Measures everything below the data root and says whose it is. */
  account(): Promise<Account>;
  /** What a collection would remove now and why, and why it would keep the rest; with other marks than the configured ones. */
  plan(config?: CollectionConfig): Promise<CollectionPlan>;
  /** Makes room now as `plan` says. Callers at one time share it. Throws `invalid-argument` without any marks. */
  collect(config?: CollectionConfig): Promise<CollectionReport>;
  /** Begins to watch the disk, where collection is configured. */
  start(): void;
  close(): Promise<void>;
}

const module = import.meta.resolve('./jobs.ts');
/** Without a setting a plan shows what could go if everything had to. */
const EVERYTHING: CollectionConfig = { high: { bytes: 0 }, low: { bytes: 0 }, containers: false };

/** Makes the room. It hears from the events when images are used. */
export function createDiskService(options: DiskServiceOptions): DiskService {
  const { dataRoot, containers, log } = options;
  const pool = new WorkerPool({ name: 'disk', size: 1 });
  const uses: Table<number> = options.store.table('image-uses');
  const nowMs = () => Number(options.clock.nowNs() / 1_000_000n);
  const deaf = options.events.listen(({ type, action, actorId }) => {
    if (type === 'container' && (action === 'start' || action === 'die')) {
      const imageId = containers.find(actorId)?.imageId ?? '';
      if (imageId !== '') uses.put(imageId, nowMs());
    } else if (type === 'image' && actorId.startsWith('sha256:')) {
      if (action === 'delete') uses.delete(actorId);
      else if (action !== 'untag') uses.put(actorId, nowMs());
    }
  });
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<CollectionReport> | undefined;

  const disk = () => {
    const { totalBytes, freeBytes, availableBytes } = statfs(dataRoot);
    // What root alone may use is no room for anybody else.
    return { totalBytes: totalBytes - (freeBytes - availableBytes), usedBytes: totalBytes - freeBytes };
  };
  const plan = async (config: CollectionConfig): Promise<CollectionPlan> =>
    planCollection(disk(), await candidates(options, { uses, nowMs: nowMs(), config }), config);

  const run = async (config: CollectionConfig): Promise<CollectionReport> => {
    const before = disk().usedBytes;
    const planned = await plan(config);
    const removed: { kind: string; id: string; reason: string }[] = [];
    for (const { candidate, reason } of planned.remove.slice(0, MAX_REMOVALS)) {
      // What others remove meanwhile counts: no more goes than has to.
      if (disk().usedBytes <= planned.lowBytes) break;
      if (!(await remove(options, candidate))) continue;
      const { kind, id, names } = candidate;
      removed.push({ kind, id, reason });
      log.info({ kind, id, names, bytes: candidate.bytes, reason }, 'removed to make room on the disk');
    }
    const reclaimedBytes = Math.max(0, before - disk().usedBytes);
    if (removed.length > 0) {
      const attributes = { removed: String(removed.length), reclaimed: String(reclaimedBytes) };
      options.events.publish({ type: 'daemon', action: 'gc', actorId: '', attributes });
    }
    return { removed, reclaimedBytes };
  };
  const service: DiskService = {
    async account() {
      const measured = await pool.run<{ root: string }, Record<string, number>>({
        module,
        job: 'walkJob',
        params: { root: dataRoot },
      });
      return accountFor(measured, booksOf(options));
    },
    plan: (config = options.collection ?? EVERYTHING) => plan(config),
    async collect(config = options.collection) {
      // Never everything by mistake.
      if (config === undefined) throw new WharfError('invalid-argument', 'gc: there is no high mark');
      running ??= run(config).finally(() => {
        running = undefined;
      });
      return running;
    },
    start() {
      const { collection } = options;
      if (collection === undefined || timer !== undefined) return;
      const look = () => {
        service.collect(collection).catch((error: unknown) => {
          log.warn({ err: messageOf(error) }, 'no room could be made on the disk');
        });
      };
      timer = setInterval(look, WATCH_INTERVAL_MS).unref();
      setImmediate(look);
    },
    async close() {
      clearInterval(timer);
      deaf();
      await running?.catch(() => undefined);
      await pool.close();
    },
  };
  return service;
}

function booksOf({ snapshots, volumes, containers }: DiskServiceOptions): Books {
  const numbers = snapshots.list().map(({ key, kind }) => {
    const directory = dirname(snapshots.layerDirs(key)[0] ?? '');
    return [basename(directory), { key, kind }] as const;
  });
  return {
    snapshots: new Map(numbers),
    volumes: new Set(volumes()),
    containers: new Set(containers.list().map(({ id }) => id)),
  };
}

async function candidates(
  options: DiskServiceOptions,
  { uses, nowMs, config }: { readonly uses: Table<number>; readonly nowMs: number; readonly config: CollectionConfig },
): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  const { images } = await options.images.diskUsage();
  for (const image of [...images].sort((a, b) => a.Created - b.Created)) {
    // The date in an image is that of its making, which says nothing of when it came here.
    if (uses.get(image.Id) === undefined) uses.put(image.Id, nowMs);
    const names = (image.RepoTags ?? []).filter((name) => name !== '<none>:<none>');
    found.push({
      kind: 'image',
      id: image.Id,
      names,
      bytes: Math.max(0, image.Size - Math.max(0, image.SharedSize)),
      lastUsedMs: uses.get(image.Id) ?? nowMs,
      ...(image.Containers > 0 ? { keep: `used by ${image.Containers} container(s)` } : {}),
    });
  }
  for (const { id, name, state } of options.containers.list()) {
    if (state.pid > 0 || !['created', 'exited', 'dead'].includes(state.status)) continue;
    const { sizeRw } = await options.containers.size(id).catch(() => ({ sizeRw: 0 }));
    found.push({
      kind: 'container',
      id,
      names: [name],
      bytes: sizeRw,
      lastUsedMs: Number((parseRfc3339(state.finishedAt) ?? 0n) / 1_000_000n),
      ...(config.containers ? {} : { keep: 'stopped containers stay unless the setting "containers" lets them go' }),
    });
  }
  return found;
}

/** False for what cannot go, or is gone. */
async function remove(options: DiskServiceOptions, { kind, id, names }: Candidate): Promise<boolean> {
  try {
    if (kind === 'container') {
      await options.containers.remove(id, { force: false, removeVolumes: false, link: false });
      return true;
    }
    for (const name of names.length > 0 ? names : [id])
      await options.images.remove(name, { force: false, pruneParents: true });
    return true;
  } catch (error) {
    const expected = isKind(error, 'conflict') || isKind(error, 'not-found');
    if (!expected) options.log.warn({ kind, id, err: messageOf(error) }, 'could not be removed to make room');
    return false;
  }
}
