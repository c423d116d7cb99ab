import { type ChainId, type DiffId, type Digest, newId, WharfError } from '@wharf/kit';
import { adoptRoot } from '../snapshots/root-attributes.ts';
import type { Mount, Snapshotter } from '../snapshots/snapshotter.ts';
import { chainIds } from '../spec/chain-id.ts';
import { type AppliedLayer, applyLayer } from './apply.ts';
import { NEEDS_PARENT } from './node-maker.ts';

/** A layer of an image, bottom first in a list. */
export interface LayerBlob {
  /** The blob's file (`ContentStore.path`). */
  readonly path: string;
  readonly diffId: DiffId;
  /** Checked as well where the blob has not been verified on its way in. */
  readonly digest?: Digest | undefined;
}

export interface UnpackOptions {
  readonly snapshots: Snapshotter;
  readonly layers: readonly LayerBlob[];
  readonly signal?: AbortSignal | undefined;
  /**
   * A layer that was unpacked before its image was known (mode `upper`, on nothing), for this function to use or remove.
   * Asked once for each layer that is missing; `undefined` when there is none.
   */
  readonly ready?: ((index: number) => Promise<ReadyLayer | undefined>) | undefined;
  /** Told of each layer that has become a snapshot, in order. */
  readonly onLayer?: ((index: number) => void) | undefined;
}

interface Step {
  readonly index: number;
  readonly blob: LayerBlob;
  readonly name: ChainId;
  readonly parent: ChainId | '';
}

/**
 * Makes the layers of an image into committed snapshots, named by their chain ids, and returns the top one's (`''` for no
 * layers). Layers are unpacked in parallel, each by itself, and put onto each other as they are done; one that leans on
 * those below is unpacked again over them. Those that exist already are left alone. On failure nothing half made stays.
 * Throws as `applyLayer`.
 */
export async function unpackLayers(options: UnpackOptions): Promise<ChainId | ''> {
  const { snapshots, layers } = options;
  const names = chainIds(layers.map(({ diffId }) => diffId));
  const steps = layers.map((blob, index): Step => {
    const name = names[index];
    if (name === undefined) throw new WharfError('internal', 'Cannot name a layer: its chain id is missing');
    return { index, blob, name, parent: names[index - 1] ?? '' };
  });
  const missing = steps.filter(({ name }) => snapshots.stat(name)?.kind !== 'committed');
  const abort = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, abort.signal]) : abort.signal;
  // Parallel where layers stand by themselves; a snapshotter of whole trees needs the one below first.
  const ahead = snapshots.name === 'overlayfs' ? missing.map((step) => takeOrUnpack(options, step, signal)) : [];
  for (const promise of ahead) promise.catch(() => undefined);
  try {
    for (const [index, step] of missing.entries()) {
      const apart = await ahead[index];
      if (apart) await settle(snapshots, step, apart);
      else await unpackOver(snapshots, step, signal);
      options.onLayer?.(step.index);
    }
  } catch (error) {
    abort.abort(error);
    const keys = await Promise.allSettled(ahead);
    for (const result of keys) {
      if (result.status === 'fulfilled' && result.value) await snapshots.remove(result.value.key);
    }
    throw error;
  }
  return names.at(-1) ?? '';
}

/** A layer in an active snapshot of its own. */
export interface ReadyLayer {
  readonly key: string;
  readonly applied: AppliedLayer;
}

/** Uses what is ready where it is what this layer needs, and unpacks otherwise. */
async function takeOrUnpack(options: UnpackOptions, step: Step, signal: AbortSignal): Promise<ReadyLayer | undefined> {
  const ready = await options.ready?.(step.index);
  if (ready === undefined) return await unpackApart(options.snapshots, step, signal);
  // At the bottom whiteouts hide nothing and must leave no marks.
  const fits = ready.applied.diffId === step.blob.diffId && (step.parent !== '' || ready.applied.whiteouts === 0);
  if (fits) return ready;
  await options.snapshots.remove(ready.key);
  return await unpackApart(options.snapshots, step, signal);
}

/** Unpacks a layer by itself; undefined when it leans on those below. */
async function unpackApart(snapshots: Snapshotter, step: Step, signal: AbortSignal): Promise<ReadyLayer | undefined> {
  const key = `extract-${newId().slice(0, 16)}`;
  await snapshots.prepare(key, '');
  try {
    const applied = await apply(step, snapshots.layerDir(key), step.parent === '' ? 'base' : 'upper', signal);
    return { key, applied };
  } catch (error) {
    await snapshots.remove(key);
    if (error instanceof WharfError && error.code === NEEDS_PARENT) return undefined;
    throw error;
  }
}

async function settle(snapshots: Snapshotter, { name, parent }: Step, { key, applied }: ReadyLayer): Promise<void> {
  const [below] = parent === '' ? [] : snapshots.layerDirs(parent);
  if (below !== undefined && !applied.hasRoot) await adoptRoot(below, snapshots.layerDir(key));
  await snapshots.commit(name, key, { parent });
}

/** Unpacks a layer over those below it, which the file system then shows and copies up as needed. */
async function unpackOver(snapshots: Snapshotter, step: Step, signal: AbortSignal): Promise<void> {
  const key = `extract-${newId().slice(0, 16)}`;
  await snapshots.prepare(key, step.parent);
  try {
    // The overlay is mounted over its own upper directory: any directory would do, this one is at hand.
    const mounts = snapshots.name === 'copy' ? undefined : snapshots.mounts(key, { volatile: true });
    const mode = step.parent === '' ? 'base' : 'merged';
    await apply(step, snapshots.layerDir(key), mode, signal, mounts);
    await snapshots.commit(step.name, key);
  } catch (error) {
    await snapshots.remove(key);
    throw error;
  }
}

function apply(
  step: Step,
  target: string,
  mode: 'base' | 'upper' | 'merged',
  signal: AbortSignal,
  mounts?: readonly Mount[],
): Promise<AppliedLayer> {
  const { path, diffId, digest } = step.blob;
  return applyLayer({
    source: { path },
    expectedDiffId: diffId,
    expectedDigest: digest,
    target,
    mounts,
    mode,
    signal,
  });
}
