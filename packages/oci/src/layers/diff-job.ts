import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { bindMount, mount } from '@wharf/linux/mount';
import { mountSnapshot } from '../snapshots/mount-snapshot.ts';
import type { Mount } from '../snapshots/snapshotter.ts';
import { toText } from '../tar/bytes.ts';
import type { JobIo } from '../workers/protocol.ts';
import { inMounts } from '../workers/root.ts';
import { type CompareOptions, type Difference, differences } from './compare.ts';
import { encoderOf } from './compression.ts';
import { baseOf, parentOf } from './names.ts';
import { type Chunk, Packer, type PackerOptions } from './packer.ts';
import { OPAQUE_MARKER, WHITEOUT_PREFIX } from './whiteout.ts';

export interface CompareParams {
  readonly form: CompareOptions['form'];
  /** What differs: a directory, or a whole tree as it is mounted; and what it stands on. */
  readonly upper: string | readonly Mount[];
  readonly lower: readonly Mount[];
  readonly placeholders: readonly string[];
}

export interface DiffParams extends CompareParams {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of gzip 0 to 9, of zstd 1 to 22; the library's own choice when absent. */
  readonly level?: number | undefined;
  /** Later times of files are written as this one; nanoseconds since 1970. */
  readonly latestNs?: bigint | undefined;
}

export interface DiffOutcome {
  readonly diffId: string;
  readonly digest: string;
  readonly blobBytes: number;
  readonly tarBytes: number;
}

export interface HashOutcome {
  readonly diffId: string;
  readonly tarBytes: number;
}

/** Docker's form of a change: 0 modified, 1 added, 2 deleted. */
export interface Change {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

const kinds = { modified: 0, added: 1, deleted: 2 } as const;

/** Lists what a container changed. */
export function changesJob(params: CompareParams): Promise<Change[]> {
  return inBothTrees(params, async (list) => {
    const changes: Change[] = [];
    for (const { name, kind } of list) changes.push({ Path: `/${toText(name)}`, Kind: kinds[kind] });
    return changes;
  });
}

/** Writes the changes as a layer to the job's output, hashing both sides of the compression. */
export function diffJob(params: DiffParams, io: JobIo): Promise<DiffOutcome> {
  return inBothTrees(params, async (list) => {
    const tarHash = createHash('sha256');
    const blobHash = createHash('sha256');
    let tarBytes = 0;
    let blobBytes = 0;
    async function* plain(): AsyncGenerator<Chunk, void, undefined> {
      // What is not compressed is given away as it is.
      for (const chunk of packLayer(list, { latestNs: params.latestNs, reuse: params.compression !== 'none' })) {
        io.signal.throwIfAborted();
        tarBytes += chunk.byteLength;
        tarHash.update(chunk);
        yield chunk;
      }
    }
    for await (const chunk of compress(plain(), params)) {
      blobBytes += chunk.byteLength;
      blobHash.update(chunk);
      await io.write(chunk);
    }
    return {
      diffId: `sha256:${tarHash.digest('hex')}`,
      digest: `sha256:${blobHash.digest('hex')}`,
      blobBytes,
      tarBytes,
    };
  });
}

/** Hashes the changes as an uncompressed layer, which nobody gets to see. */
export function hashJob(params: CompareParams, io: JobIo): Promise<HashOutcome> {
  return inBothTrees(params, async (list) => {
    const hash = createHash('sha256');
    let tarBytes = 0;
    for (const chunk of packLayer(list, { reuse: true })) {
      io.signal.throwIfAborted();
      tarBytes += chunk.byteLength;
      hash.update(chunk);
    }
    return { diffId: `sha256:${hash.digest('hex')}`, tarBytes };
  });
}

/** The differences as an OCI layer: changed entries, `.wh.` files for the deleted ones, markers in opaque directories. */
function* packLayer(
  list: Iterable<Difference>,
  options: Pick<PackerOptions, 'latestNs' | 'reuse'>,
): Generator<Chunk, void, undefined> {
  const packer = new Packer({ wholeSeconds: false, ...options });
  for (const { name, path, status, isOpaque, isImplied } of list) {
    if (status) {
      yield* packer.addFile(path, name, status);
      if (isOpaque) yield* packer.addEntry({ name: `${name}/${OPAQUE_MARKER}`, type: 'file' });
    } else if (!isImplied) {
      const parent = parentOf(name);
      const whiteout = `${parent === '' ? '' : `${parent}/`}${WHITEOUT_PREFIX}${baseOf(name)}`;
      yield* packer.addEntry({ name: whiteout, type: 'file' });
    }
  }
  yield* packer.end();
}

async function* compress(
  source: AsyncIterable<Chunk>,
  { compression, level }: Pick<DiffParams, 'compression' | 'level'>,
): AsyncGenerator<Chunk, void, undefined> {
  if (compression === 'none') {
    yield* source;
    return;
  }
  const encoder = encoderOf({ compression, level });
  // What fails there ends the encoder, and comes out of it below.
  void feed(source, encoder);
  // Copied: what zlib gives is a part of a buffer it goes on to use.
  for await (const chunk of encoder as AsyncIterable<Buffer>) yield new Uint8Array(chunk);
}

/** Hands each chunk over when the one before is used up: they may all be in the same memory. */
async function feed(source: AsyncIterable<Chunk>, encoder: ReturnType<typeof encoderOf>): Promise<void> {
  try {
    for await (const chunk of source) {
      await new Promise<void>((resolve, reject) => {
        encoder.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    }
    encoder.end();
  } catch (error) {
    encoder.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** Shows both trees, and nothing else, to this thread: a container may be changing its own while we look. */
function inBothTrees<T>(params: CompareParams, work: (list: Iterable<Difference>) => Promise<T>): Promise<T> {
  const { form, lower, placeholders } = params;
  const prepare = (): string => {
    // Any directory will do to mount at, as nobody else sees it; /sys is there on every host and not needed here.
    const at = '/sys';
    const upper = `${at}/upper`;
    mount({ source: 'tmpfs', target: at, type: 'tmpfs', data: 'mode=0700,size=64k' });
    mkdirSync(upper);
    if (typeof params.upper === 'string') bindMount(params.upper, upper, { readOnly: true });
    else if (params.upper.length > 0) mountSnapshot(params.upper, upper);
    mkdirSync(`${at}/lower`);
    if (lower.length > 0) mountSnapshot(lower, `${at}/lower`);
    return at;
  };
  return inMounts(prepare, () =>
    work(
      differences({
        form,
        upper: '/upper',
        lower: lower.length > 0 ? '/lower' : undefined,
        placeholders: new Set(placeholders),
      }),
    ),
  );
}
