import type { DiffId, Digest } from '@wharf/kit';
import { WharfError } from '@wharf/kit';
import type { Snapshotter } from '../snapshots/snapshotter.ts';
import { layerPool } from '../workers/pool.ts';
import type { Change, CompareParams, DiffOutcome, DiffParams, HashOutcome } from './diff-job.ts';

export type { Change } from './diff-job.ts';

/**
 * What the engine and the runtime make in every container's root to mount things on. Docker keeps these in a layer of
 * their own; here they are told apart when changes are looked at.
 */
export const MOUNT_POINT_PLACEHOLDERS: readonly string[] = [
  '.dockerenv',
  'dev',
  'dev/console',
  'dev/mqueue',
  'dev/pts',
  'dev/shm',
  'etc',
  'etc/hostname',
  'etc/hosts',
  'etc/mtab',
  'etc/resolv.conf',
  'proc',
  'sys',
];

export interface DiffTarget {
  readonly snapshots: Snapshotter;
  /** An active snapshot: a container's. */
  readonly key: string;
  /** Further names to leave out where they are empty, without leading slash. */
  readonly placeholders?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DiffLayerOptions extends DiffTarget {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of gzip 0 to 9, of zstd 1 to 22. */
  readonly level?: number | undefined;
  /** Later times of files are written as this one; nanoseconds since 1970. */
  readonly latestNs?: bigint | undefined;
  /** Receives the layer, in memory that is its own; the next chunk comes when its promise is done. */
  readonly write: (chunk: Buffer<ArrayBuffer>) => Promise<void> | void;
}

export interface LayerDiff {
  readonly diffId: DiffId;
  /** Of the bytes written. */
  readonly digest: Digest;
  readonly blobBytes: number;
  readonly tarBytes: number;
}

const module = import.meta.resolve('./diff-job.ts');

/** Makes a layer of what a snapshot changed on its parent, in a worker thread. The same changes give the same bytes. */
export async function diffLayer(options: DiffLayerOptions): Promise<LayerDiff> {
  const { compression, level, latestNs } = options;
  const outcome = await layerPool.run<DiffParams, DiffOutcome>({
    module,
    job: 'diffJob',
    params: { ...compareParams(options), compression, level, latestNs },
    output: options.write,
    signal: options.signal,
  });
  // The job hashed them: they are what they say.
  return { ...outcome, diffId: outcome.diffId as DiffId, digest: outcome.digest as Digest };
}

/** The layer that `diffLayer` would make, by its hash and size alone: each byte is read once, and none leaves the thread. */
export async function hashLayer(target: DiffTarget): Promise<{ readonly diffId: DiffId; readonly tarBytes: number }> {
  const { diffId, tarBytes } = await layerPool.run<CompareParams, HashOutcome>({
    ...{ module, job: 'hashJob', params: compareParams(target), signal: target.signal },
  });
  return { diffId: diffId as DiffId, tarBytes };
}

/** Makes one layer of all that lies between two committed trees; `''` is the empty one. The same trees give the same bytes. */
export async function diffTrees(
  options: Pick<DiffLayerOptions, 'snapshots' | 'signal' | 'write'> & { readonly from: string; readonly to: string },
): Promise<LayerDiff> {
  const { snapshots, from, to } = options;
  const mounts = (key: string) => (key === '' ? [] : snapshots.mounts(key, { readOnly: true }));
  const outcome = await layerPool.run<DiffParams, DiffOutcome>({
    module,
    job: 'diffJob',
    params: { form: 'tree', upper: mounts(to), lower: mounts(from), placeholders: [], compression: 'none' },
    output: options.write,
    signal: options.signal,
  });
  return { ...outcome, diffId: outcome.diffId as DiffId, digest: outcome.digest as Digest };
}

/** What a snapshot changed on its parent, as `docker diff` lists it. */
export function listChanges(options: DiffTarget): Promise<readonly Change[]> {
  return layerPool.run<CompareParams, Change[]>({
    module,
    job: 'changesJob',
    params: compareParams(options),
    signal: options.signal,
  });
}

function compareParams({ snapshots, key, placeholders }: DiffTarget): CompareParams {
  const info = snapshots.stat(key);
  const [upperDir] = snapshots.layerDirs(key);
  if (!info || upperDir === undefined) throw new WharfError('not-found', `Cannot find snapshot "${key}"`);
  return {
    form: snapshots.name === 'copy' ? 'tree' : 'upper',
    upper: upperDir,
    lower: info.parent === '' || info.standalone === true ? [] : snapshots.mounts(info.parent),
    placeholders: [...MOUNT_POINT_PLACEHOLDERS, ...(placeholders ?? [])],
  };
}
