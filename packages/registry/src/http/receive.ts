import { WharfError } from '@wharf/kit';
import type { Exchange } from '@wharf/wire/http/exchange';
import { registryError } from '../errors.ts';
import { BODY_STALL_MS, MAX_MANIFEST_BYTES, MAX_MANIFEST_BYTES_IN_FLIGHT } from '../limits.ts';

/**
 * Hands the request's body to `sink` piece by piece, as fast as it takes them. Resolves with the number of bytes at the body's end; throws
 * when the client leaves before it, when nothing comes for a minute, or what the sink throws.
 */
export function receive(exchange: Exchange, sink: (chunk: Buffer) => Promise<void> | undefined): Promise<number> {
  const { body, head } = exchange;
  if (head.body.kind === 'none') return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let busy = false;
    let ended = false;
    let movedAt = performance.now();
    const timer = setInterval(() => {
      if (!busy && performance.now() - movedAt > BODY_STALL_MS) fail(stalled());
    }, BODY_STALL_MS / 4).unref();
    const settle = (): void => {
      clearInterval(timer);
      body.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    };
    const fail = (error: unknown): void => {
      settle();
      body.pause();
      reject(error instanceof Error ? error : new WharfError('internal', String(error)));
    };
    const onEnd = (): void => {
      ended = true;
      if (busy) return;
      settle();
      resolve(bytes);
    };
    const onClose = (): void => {
      if (!ended) fail(new WharfError('aborted', 'The client has gone'));
    };
    const onData = (chunk: Buffer): void => {
      movedAt = performance.now();
      bytes += chunk.length;
      try {
        const wait = sink(chunk);
        if (wait === undefined) return;
        busy = true;
        body.pause();
        wait.then(() => {
          busy = false;
          movedAt = performance.now();
          if (ended) onEnd();
          else body.resume();
        }, fail);
      } catch (error) {
        fail(error);
      }
    };
    if (body.errored) {
      fail(body.errored);
      return;
    }
    body.on('end', onEnd).on('error', fail).on('close', onClose).on('data', onData);
  });
}

function stalled(): WharfError {
  return registryError('BLOB_UPLOAD_INVALID', 'the request body did not arrive in time', { status: 408 });
}

/** Bytes of manifests being received now. */
let inFlight = 0;

/** The whole body of a manifest PUT. Throws `MANIFEST_INVALID` with 413 when it is too large, `unavailable` when too many come at once. */
export async function receiveManifest(exchange: Exchange): Promise<Buffer> {
  const { body } = exchange.head;
  if (body.kind === 'length' && body.bytes > MAX_MANIFEST_BYTES) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    await receive(exchange, (chunk) => {
      bytes += chunk.length;
      inFlight += chunk.length;
      if (bytes > MAX_MANIFEST_BYTES) throw tooLarge();
      if (inFlight > MAX_MANIFEST_BYTES_IN_FLIGHT)
        throw new WharfError('unavailable', 'too many large manifests at once: try again later');
      chunks.push(chunk);
      return undefined;
    });
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  } finally {
    inFlight -= bytes;
  }
}

function tooLarge(): Error {
  return registryError('MANIFEST_INVALID', `the manifest is larger than ${MAX_MANIFEST_BYTES} bytes`, { status: 413 });
}
