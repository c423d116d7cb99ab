import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelayMs, type Digest, isKind, type Logger, messageOf, splitDigest, WharfError } from '@wharf/kit';
import type { BlobInfo, BlobWriter, ContentStore } from '../content/content-store.ts';
import type { Descriptor } from '../spec/image.ts';
import { blobBytes } from './blob-source.ts';
import { BACKOFF } from './limits.ts';
import type { RemoteRepository } from './repository.ts';
import type { TransferSlots } from './transfer-slots.ts';

export interface DownloadRequest {
  readonly repository: RemoteRepository;
  readonly descriptor: Descriptor;
  /** Stores a finished blob so that no collection takes it. */
  readonly commit: (
    writer: BlobWriter,
    expected: { readonly digest: Digest; readonly sizeBytes: number },
  ) => Promise<BlobInfo>;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Reads behind the writer; told only to the one who started the download. */
  readonly follow?: ((temporaryPath: string) => Follower | undefined) | undefined;
  readonly signal: AbortSignal;
}

export interface Follower {
  /** The file holds so many good bytes. */
  advance(bytes: number): void;
  /** All bytes are there and verified. */
  finish(): void;
  /** The download has failed for now, or its bytes were wrong. */
  fail(error: unknown): void;
}

export interface DownloadProgress {
  readonly state: 'waiting' | 'downloading' | 'verifying' | 'complete';
  readonly bytes: number;
}

interface Flight {
  readonly done: Promise<BlobInfo>;
  readonly abort: AbortController;
  readonly listeners: Set<(progress: DownloadProgress) => void>;
  progress: DownloadProgress;
  riders: number;
}

/**
 * Downloads of blobs, each digest once at a time: whoever asks for one that is under way rides along.
 *
 * Invariants: a download ends when its last rider leaves, and its bytes stay for the next attempt; a blob appears in the store only
 * whole and with the right digest; bytes that turned out wrong are dropped and fetched once more from the beginning.
 */
export class Downloads {
  readonly #content: ContentStore;
  readonly #slots: TransferSlots;
  readonly #log: Logger;
  readonly #attempts: () => number;
  readonly #flights = new Map<Digest, Flight>();

  constructor(deps: {
    readonly content: ContentStore;
    readonly slots: TransferSlots;
    readonly log: Logger;
    readonly attempts: () => number;
  }) {
    this.#content = deps.content;
    this.#slots = deps.slots;
    this.#log = deps.log;
    this.#attempts = deps.attempts;
  }

  /** Fetches a blob into the store. Throws the registry's error, `data-loss`, `resource-exhausted`, or the signal's reason. */
  async fetch(request: DownloadRequest): Promise<BlobInfo> {
    const { descriptor, signal, onProgress } = request;
    signal.throwIfAborted();
    let flight = this.#flights.get(descriptor.digest);
    if (flight === undefined || flight.abort.signal.aborted) flight = this.#start(request);
    if (onProgress !== undefined) {
      flight.listeners.add(onProgress);
      onProgress(flight.progress);
    }
    flight.riders += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.done, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      left.promise.catch(() => undefined);
      if (onProgress !== undefined) flight.listeners.delete(onProgress);
      flight.riders -= 1;
      if (flight.riders === 0) {
        flight.abort.abort(signal.aborted ? signal.reason : new WharfError('aborted', 'the download is over'));
        // The bytes are put down before the one who cancelled is told, so that the next attempt finds them.
        await flight.done.catch(() => undefined);
      }
    }
  }

  #start(request: DownloadRequest): Flight {
    const { digest } = request.descriptor;
    const abort = new AbortController();
    const listeners = new Set<(progress: DownloadProgress) => void>();
    const begin = Promise.withResolvers<void>();
    const flight: Flight = {
      abort,
      listeners,
      progress: { state: 'waiting', bytes: 0 },
      riders: 0,
      done: begin.promise
        .then(() => this.#download(request, flight))
        .finally(() => {
          if (this.#flights.get(digest) === flight) this.#flights.delete(digest);
        }),
    };
    flight.done.catch(() => undefined);
    this.#flights.set(digest, flight);
    begin.resolve();
    return flight;
  }

  async #download(request: DownloadRequest, flight: Flight): Promise<BlobInfo> {
    const { descriptor } = request;
    const { signal } = flight.abort;
    const tell = (progress: DownloadProgress): void => {
      flight.progress = progress;
      for (const listener of flight.listeners) listener(progress);
    };
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#attempt(request, signal, tell);
      } catch (error) {
        const final = attempt + 1 >= this.#attempts() || signal.aborted || !mayPass(error, attempt);
        if (final) throw named(descriptor.digest, error, signal);
        this.#log.info({ digest: descriptor.digest, error: messageOf(error) }, 'the download is taken up again');
        await sleep(backoffDelayMs(attempt, BACKOFF), undefined, { signal }).catch(() => signal.throwIfAborted());
      }
    }
  }

  async #attempt(
    request: DownloadRequest,
    signal: AbortSignal,
    tell: (progress: DownloadProgress) => void,
  ): Promise<BlobInfo> {
    const { descriptor, commit } = request;
    const { digest, size } = descriptor;
    await using resources = new AsyncDisposableStack();
    const receiving: Receiving = { resumedBytes: 0 };
    try {
      // The slot is for the network: it is free again while the disk takes the rest.
      const writer = await this.#slots.run(
        () => this.#receive(request, { receiving, resources, signal, tell }),
        signal,
      );
      tell({ state: 'verifying', bytes: writer.sizeBytes });
      const info = await commit(writer, { digest, sizeBytes: size });
      receiving.follower?.finish();
      tell({ state: 'complete', bytes: size });
      return info;
    } catch (error) {
      receiving.follower?.fail(error);
      // What a crash left may have been wrong: then it is worth another try, from the beginning.
      const stale = receiving.resumedBytes > 0 && isKind(error, 'data-loss');
      if (stale) throw new WharfError('unavailable', messageOf(error), { code: 'network', cause: error });
      throw error;
    }
  }

  async #receive(
    { descriptor, repository, follow }: DownloadRequest,
    { receiving, resources, signal, tell }: ReceiveContext,
  ): Promise<BlobWriter> {
    const { digest, size } = descriptor;
    const writer = await this.#content.writer({
      algorithm: splitDigest(digest).algorithm === 'sha512' ? 'sha512' : 'sha256',
      resumeKey: digest,
      onWritten: (bytes) => receiving.follower?.advance(bytes),
    });
    resources.use(writer);
    receiving.resumedBytes = writer.sizeBytes;
    receiving.follower = follow?.(writer.temporaryPath);
    receiving.follower?.advance(receiving.resumedBytes);
    tell({ state: 'downloading', bytes: receiving.resumedBytes });
    if (receiving.resumedBytes > size) return writer;
    for await (const chunk of blobBytes({ repository, descriptor, from: receiving.resumedBytes, signal })) {
      await writer.write(chunk);
      tell({ state: 'downloading', bytes: writer.sizeBytes });
    }
    return writer;
  }
}

interface Receiving {
  follower?: Follower | undefined;
  resumedBytes: number;
}

interface ReceiveContext {
  readonly receiving: Receiving;
  readonly resources: AsyncDisposableStack;
  readonly signal: AbortSignal;
  readonly tell: (progress: DownloadProgress) => void;
}

/** Broken connections pass, and a disk that is full or a wrong digest do not. */
function mayPass(error: unknown, attempt: number): boolean {
  if (!(error instanceof WharfError)) return false;
  if (error.kind === 'data-loss') return attempt === 0;
  return error.code === 'cut-off' || error.code === 'network' || error.code === 'timeout';
}

function named(digest: Digest, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || !(error instanceof WharfError)) return error;
  if (error.code !== 'cut-off' && error.code !== 'timeout') return error;
  return new WharfError(error.kind, `failed to copy blob ${digest}: ${error.message}`, {
    code: error.code ?? '',
    cause: error,
  });
}
