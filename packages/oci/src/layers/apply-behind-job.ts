import { readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { WharfError } from '@wharf/kit';
import type { JobIo } from '../workers/protocol.ts';
import { type ApplyOutcome, type ApplyParams, applyJob } from './apply-job.ts';
import { READ_CHUNK_BYTES } from './limits.ts';
import { Watermark } from './watermark.ts';

export interface ApplyBehindParams extends ApplyParams {
  /** The growing file; it is the caller's to close. */
  readonly fd: number;
  readonly watermark: SharedArrayBuffer;
}

/** Pieces read before the thread looks for messages again. */
const PIECES_AT_ONCE = 8;

/** As `applyJob`, from a file that is still being written. */
export function applyBehindJob(params: ApplyBehindParams, io: JobIo): Promise<ApplyOutcome> {
  const input = behind(params.fd, new Watermark(params.watermark), io.signal);
  return applyJob(params, { ...io, input });
}

async function* behind(fd: number, mark: Watermark, signal: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  let position = 0;
  for (let pieces = 0; ; pieces += 1) {
    signal.throwIfAborted();
    const seen = mark.version;
    const { isWhole, bytes } = mark;
    if (mark.isFailed) throw new WharfError('aborted', 'Cannot unpack layer: its download has failed');
    if (position < bytes) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(READ_CHUNK_BYTES, bytes - position));
      const count = readSync(fd, chunk, 0, chunk.length, position);
      if (count === 0) throw new WharfError('data-loss', 'Cannot unpack layer: its file has become shorter');
      position += count;
      yield count === chunk.length ? chunk : chunk.subarray(0, count);
      if (pieces % PIECES_AT_ONCE === 0) await setImmediate();
    } else if (isWhole) {
      return;
    } else {
      await mark.changed(seen);
    }
  }
}
