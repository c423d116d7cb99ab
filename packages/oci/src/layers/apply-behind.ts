import { closeSync, openSync } from 'node:fs';
import type { DiffId } from '@wharf/kit';
import { FOLLOW_WORKERS } from '../remote/limits.ts';
import { WorkerPool } from '../workers/pool.ts';
import { APPLY_MODES, type AppliedLayer } from './apply.ts';
import type { ApplyBehindParams } from './apply-behind-job.ts';
import type { ApplyOutcome } from './apply-job.ts';
import { Watermark } from './watermark.ts';

/**
 * Threads of their own: a slow download holds one for as long as it takes, and nobody else shall wait for that.
 */
const followPool = new WorkerPool({ name: 'pull', size: FOLLOW_WORKERS });
let running = 0;

export interface BehindLayer {
  readonly watermark: Watermark;
  /** As `applyLayer`'s. Rejects when the download fails. */
  readonly applied: Promise<AppliedLayer>;
}

/** True when a layer can be unpacked behind its download right now. */
export function canApplyBehind(): boolean {
  return running < FOLLOW_WORKERS;
}

/**
 * Unpacks a layer into `target` (mode `upper`) while its file is being written; `watermark` says how far it is. The bytes are not
 * verified yet: the caller uses the result only once they are. Throws as `applyLayer`.
 */
export function applyBehind(options: {
  readonly path: string;
  readonly target: string;
  readonly expectedDiffId: DiffId;
  /** The blob is not compressed, and its writer checks the same digest. */
  readonly isCheckedElsewhere: boolean;
  readonly signal: AbortSignal;
}): BehindLayer {
  const watermark = new Watermark();
  const fd = openSync(options.path, 'r');
  running += 1;
  const run = async (): Promise<AppliedLayer> => {
    try {
      const outcome = await followPool.run<ApplyBehindParams, ApplyOutcome>({
        module: import.meta.resolve('./apply-behind-job.ts'),
        job: 'applyBehindJob',
        params: {
          fd,
          watermark: watermark.shared,
          target: options.target,
          options: APPLY_MODES.upper,
          expectedDiffId: options.expectedDiffId,
          isCheckedElsewhere: options.isCheckedElsewhere,
        },
        signal: options.signal,
      });
      return { ...outcome, diffId: outcome.diffId as DiffId, digest: undefined };
    } finally {
      running -= 1;
      closeSync(fd);
    }
  };
  return { watermark, applied: run() };
}
