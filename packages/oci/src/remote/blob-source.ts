import { WharfError } from '@wharf/kit';
import { movingChunks } from '@wharf/wire/http/read-reply';
import type { Descriptor } from '../spec/image.ts';
import type { HostAnswer } from './connection.ts';
import { RANGE_BYTES, RANGE_STREAMS, RANGES_FROM_BYTES } from './limits.ts';
import type { RemoteRepository } from './repository.ts';

export interface BlobRequest {
  readonly repository: RemoteRepository;
  readonly descriptor: Descriptor;
  /** The first byte wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
}

/**
 * The bytes of a blob from an offset to its end, in order: one stream for those of usual size, several ranges at once for large ones.
 * Throws `unavailable` when it breaks off, `data-loss` when the registry sends more or other than was asked for.
 */
export async function* blobBytes(request: BlobRequest): AsyncGenerator<Buffer, void, undefined> {
  const { descriptor, from } = request;
  const left = descriptor.size - from;
  if (left <= 0 && descriptor.size > 0) return;
  if (left < RANGES_FROM_BYTES) {
    yield* stream(request, from);
    return;
  }
  yield* ranges(request);
}

/** One request for all that is left. */
async function* stream(request: BlobRequest, from: number): AsyncGenerator<Buffer, void, undefined> {
  const { descriptor } = request;
  const range = from === 0 ? undefined : `bytes=${from}-`;
  const answer = await ask(request, range);
  // A registry without ranges sends all again: what is there already is dropped.
  const skip = range !== undefined && answer.status !== 206 ? from : 0;
  yield* bounded(answer, { skip, wanted: descriptor.size - from, descriptor });
}

/** Pieces fetched side by side; those ahead of the reader wait in memory, `RANGE_STREAMS` of them at most. */
async function* ranges(request: BlobRequest): AsyncGenerator<Buffer, void, undefined> {
  const { descriptor, from } = request;
  const first = await ask(request, `bytes=${from}-${from + RANGE_BYTES - 1}`);
  if (first.status !== 206) {
    yield* bounded(first, { skip: from, wanted: descriptor.size - from, descriptor });
    return;
  }
  const abort = new AbortController();
  const signal = AbortSignal.any([request.signal, abort.signal]);
  const ahead: Promise<readonly Buffer[]>[] = [];
  let next = from + RANGE_BYTES;
  const fill = (): void => {
    while (ahead.length < RANGE_STREAMS - 1 && next < descriptor.size) {
      const piece = fetchPiece({ ...request, signal }, next, Math.min(next + RANGE_BYTES, descriptor.size));
      piece.catch(() => undefined);
      ahead.push(piece);
      next += RANGE_BYTES;
    }
  };
  try {
    fill();
    yield* bounded(first, { skip: 0, wanted: Math.min(RANGE_BYTES, descriptor.size - from), descriptor });
    for (fill(); ahead.length > 0; fill()) {
      const piece = await ahead.shift();
      fill();
      yield* piece ?? [];
    }
  } finally {
    abort.abort();
  }
}

async function fetchPiece(request: BlobRequest, start: number, end: number): Promise<readonly Buffer[]> {
  const answer = await ask(request, `bytes=${start}-${end - 1}`);
  if (answer.status !== 206) {
    answer.body.destroy();
    throw new WharfError('unavailable', 'the registry serves ranges at one time and not at another', {
      code: 'network',
    });
  }
  const pieces: Buffer[] = [];
  for await (const chunk of bounded(answer, { skip: 0, wanted: end - start, descriptor: request.descriptor }))
    pieces.push(chunk);
  return pieces;
}

/** Foreign layers name the places they lie at; all others lie in the registry. */
async function ask({ repository, descriptor, signal }: BlobRequest, range: string | undefined): Promise<HostAnswer> {
  const headers = { accept: `${descriptor.mediaType}, */*`, ...(range === undefined ? {} : { range }) };
  let failure: unknown;
  const places = (descriptor.urls ?? [])
    .flatMap((text) => URL.parse(text) ?? [])
    .filter(({ protocol }) => /^https?:$/.test(protocol));
  const call = { method: 'GET', headers, signal } as const;
  const accept = async (answer: HostAnswer): Promise<HostAnswer> => answer;
  for (const place of places) {
    try {
      return await repository.firstOf('pull', { ...call, to: place, attempts: 2 }, accept);
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
    }
  }
  try {
    return await repository.firstOf('pull', { ...call, to: `blobs/${descriptor.digest}` }, accept);
  } catch (error) {
    throw failure ?? error;
  }
}

/** The wanted bytes of an answer: no fewer, and not one more. */
async function* bounded(
  answer: HostAnswer,
  { skip, wanted, descriptor }: { readonly skip: number; readonly wanted: number; readonly descriptor: Descriptor },
): AsyncGenerator<Buffer, void, undefined> {
  let [toSkip, left] = [skip, wanted];
  for await (const chunk of movingChunks(answer.body)) {
    const piece = toSkip > 0 ? chunk.subarray(Math.min(toSkip, chunk.length)) : chunk;
    toSkip -= chunk.length - piece.length;
    if (piece.length > left) {
      throw new WharfError(
        'data-loss',
        `blob ${descriptor.digest} is larger than the ${descriptor.size} bytes its descriptor says`,
        {
          code: 'wrong-content',
        },
      );
    }
    left -= piece.length;
    if (piece.length > 0) yield piece;
  }
  if (left > 0) throw new WharfError('unavailable', 'unexpected EOF', { code: 'cut-off' });
}
