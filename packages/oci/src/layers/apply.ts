import type { DiffId, Digest } from '@wharf/kit';
import type { Mount } from '../snapshots/snapshotter.ts';
import { layerPool } from '../workers/pool.ts';
import type { ApplyOutcome, ApplyParams } from './apply-job.ts';

export interface ApplyLayerOptions {
  /** The blob as a file or as a stream; gzip, zstd, bzip2, xz and plain are told apart by their first bytes. */
  readonly source: { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array> };
  /** Checked over the blob as it is stored. */
  readonly expectedDigest?: Digest | undefined;
  /** Checked over the uncompressed archive. */
  readonly expectedDiffId?: DiffId | undefined;
  /** An existing directory that becomes the layer's root. The caller removes it when this fails. */
  readonly target: string;
  /** Mounted at `target` for the time of the job, seen by nobody else: the layers below, for `merged`. */
  readonly mounts?: readonly Mount[] | undefined;
  /**
   * - `base`: the layer stands on nothing; whiteouts have nothing to hide, missing parent directories are made;
   * - `upper`: `target` is overlayfs's upper directory and the layers below are elsewhere, so layers can be unpacked in
   *   any order; throws `failed-precondition` with code `needs-parent` for a layer that leans on those below;
   * - `merged`: `target` shows the layers below (a mounted overlay, or a copy), and whiteouts delete.
   */
  readonly mode: 'base' | 'upper' | 'merged';
  readonly signal?: AbortSignal | undefined;
}

export interface AppliedLayer {
  readonly diffId: DiffId;
  readonly digest?: Digest | undefined;
  readonly blobBytes: number;
  readonly tarBytes: number;
  readonly entries: number;
  /** Extended attributes the file system of `target` would not take. */
  readonly skippedXattrs: number;
  /** Names that hide something of the layers below. */
  readonly whiteouts: number;
  /** True when the archive says what the root directory is like. */
  readonly hasRoot: boolean;
}

/** What each mode means to the extractor. */
export const APPLY_MODES = {
  base: { base: '', whiteouts: 'remove', parents: 'make' },
  upper: { base: '', whiteouts: 'overlay', parents: 'refuse' },
  merged: { base: '', whiteouts: 'remove', parents: 'make' },
} as const;

/**
 * Unpacks a layer in a worker thread. Whatever the archive holds, nothing outside `target` is touched.
 * Throws `data-loss` (broken archive, wrong digest), `resource-exhausted` (disk full), `aborted`; see also `mode`.
 */
export async function applyLayer(options: ApplyLayerOptions): Promise<AppliedLayer> {
  const outcome = await layerPool.run<ApplyParams, ApplyOutcome>({
    module: import.meta.resolve('./apply-job.ts'),
    job: 'applyJob',
    params: {
      path: 'path' in options.source ? options.source.path : undefined,
      target: options.target,
      mounts: options.mounts,
      options: APPLY_MODES[options.mode],
      expectedDigest: options.expectedDigest,
      expectedDiffId: options.expectedDiffId,
    },
    input: 'stream' in options.source ? options.source.stream : undefined,
    signal: options.signal,
  });
  // The job hashed them: they are what they say.
  return { ...outcome, diffId: outcome.diffId as DiffId, digest: outcome.digest as Digest | undefined };
}
