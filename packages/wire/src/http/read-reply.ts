import type { IncomingMessage } from 'node:http';
import { messageOf, WharfError } from '@wharf/kit';
import { WEB_CLIENT_LIMITS } from './web-client-limits.ts';

/** Reads a whole body. Throws `resource-exhausted` past the limit, `unavailable` when it is cut off or does not move. */
export async function readReply(body: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const announced = Number(body.headers['content-length'] ?? 0);
  if (announced > limitBytes) {
    body.destroy();
    throw tooLarge(limitBytes);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of movingChunks(body)) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(limitBytes: number): WharfError {
  return new WharfError('resource-exhausted', `the answer is larger than ${limitBytes} bytes`, { code: 'too-large' });
}

/**
 * The chunks of a body as they come. Throws `unavailable` when it is cut off, or when it brings next to nothing for half a minute
 * while somebody waits for it. Ending early destroys the body.
 */
export async function* movingChunks(body: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  let before = 0;
  let waiting = false;
  const timer = setInterval(() => {
    if (waiting && bytes - before < WEB_CLIENT_LIMITS.slowBytes && !body.readableEnded) {
      body.destroy(new WharfError('unavailable', 'the connection has stalled', { code: 'timeout' }));
    }
    before = bytes;
  }, WEB_CLIENT_LIMITS.stallMs);
  timer.unref();
  try {
    waiting = true;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      waiting = false;
      bytes += chunk.length;
      yield chunk;
      waiting = true;
    }
  } catch (cause) {
    if (cause instanceof WharfError) throw cause;
    const text = messageOf(cause) === 'aborted' ? 'unexpected EOF' : messageOf(cause);
    throw new WharfError('unavailable', text, { code: 'cut-off', cause });
  } finally {
    clearInterval(timer);
  }
}
