import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { mountSnapshot } from '../snapshots/mount-snapshot.ts';
import type { Mount } from '../snapshots/snapshotter.ts';
import { TarParser } from '../tar/parser.ts';
import type { JobIo } from '../workers/protocol.ts';
import { inMounts, inRoot } from '../workers/root.ts';
import { decompress, peekCompression } from './compression.ts';
import { Extractor, type ExtractorOptions, type ExtractResult } from './extractor.ts';
import { READ_CHUNK_BYTES } from './limits.ts';

export interface ApplyParams {
  /** The blob's file; the job's input when absent. */
  readonly path?: string | undefined;
  readonly target: string;
  /** Mounted at `target` first, where only this job sees it. */
  readonly mounts?: readonly Mount[] | undefined;
  readonly options: ExtractorOptions;
  readonly expectedDigest?: string | undefined;
  readonly expectedDiffId?: string | undefined;
  /** Somebody else checks the very same bytes: `expectedDiffId` is taken as it is. */
  readonly isCheckedElsewhere?: boolean | undefined;
}

export interface ApplyOutcome extends ExtractResult {
  /** sha256 of the uncompressed archive. */
  readonly diffId: string;
  /** sha256 of the blob as it is stored, where it was asked for. */
  readonly digest?: string | undefined;
  readonly blobBytes: number;
  readonly tarBytes: number;
}

class Meter {
  readonly #hash: Hash | undefined;
  bytes = 0;

  constructor(algorithm: string | undefined) {
    this.#hash = algorithm === undefined ? undefined : createHash(algorithm);
  }

  async *through(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of source) {
      this.bytes += chunk.byteLength;
      this.#hash?.update(chunk);
      yield chunk;
    }
  }

  hex(): string | undefined {
    return this.#hash?.digest('hex');
  }
}

/** Unpacks one layer into `target`, as its root, checking both digests on the way. */
export async function applyJob(params: ApplyParams, io: JobIo): Promise<ApplyOutcome> {
  const { path, expectedDiffId } = params;
  const source = path === undefined ? io.input : createReadStream(path, { highWaterMark: READ_CHUNK_BYTES });
  const algorithm = params.expectedDigest?.split(':')[0];
  const blob = new Meter(algorithm);
  const isChecked = params.isCheckedElsewhere === true && expectedDiffId !== undefined;
  const tar = new Meter(isChecked ? undefined : (expectedDiffId?.split(':')[0] ?? 'sha256'));
  const peeked = await peekCompression(blob.through(source));
  // Tools are started here, before the thread changes its root: they live outside.
  const plain = tar.through(decompress(peeked.stream, peeked.compression));
  const work = (): Promise<ExtractResult> => extract(plain, params.options, io.signal);
  const { target, mounts } = params;
  const prepare = (): string => {
    mountSnapshot(mounts ?? [], target);
    return target;
  };
  const result = await (mounts ? inMounts(prepare, work) : inRoot(target, work));
  const digest = blob.hex();
  const diffId = isChecked ? expectedDiffId : `${expectedDiffId?.split(':')[0] ?? 'sha256'}:${tar.hex()}`;
  check('digest', params.expectedDigest, digest === undefined ? undefined : `${algorithm}:${digest}`);
  check('diff id', expectedDiffId, diffId);
  return {
    ...result,
    diffId,
    digest: digest === undefined ? undefined : `${algorithm}:${digest}`,
    blobBytes: blob.bytes,
    tarBytes: tar.bytes,
  };
}

/** Unpacks an uncompressed archive in the thread's present root. Reads the source to its end, for the digests. */
export async function extract(
  source: AsyncIterable<Uint8Array>,
  options: ExtractorOptions,
  signal: AbortSignal,
): Promise<ExtractResult> {
  const extractor = new Extractor(options);
  try {
    const parser = new TarParser(extractor);
    for await (const chunk of source) {
      signal.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
    return extractor.finish();
  } finally {
    extractor.dispose();
  }
}

function check(what: string, expected: string | undefined, actual: string | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new WharfError('data-loss', `Cannot use layer: its ${what} is "${actual}", not "${expected}"`);
}
