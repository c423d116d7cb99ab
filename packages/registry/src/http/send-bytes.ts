import { WharfError } from '@wharf/kit';
import type { Exchange } from '@wharf/wire/http/exchange';
import { ANSWER_STALL_MS, LARGE_BUFFER_BYTES, QUICK_BYTES } from '../limits.ts';
import type { BlobSource } from '../storage/storage.ts';
import { returnBuffer, smallBuffer, takeBuffer } from './buffers.ts';

/**
 * Sends `lengthBytes` of a source as the body of an answer that has begun. Two buffers take turns: one is filled from the disk while the
 * other leaves. Throws `aborted` when the client is gone or takes nothing for too long, `data-loss` when the source ends early; the
 * connection is then broken off, so that nobody takes what came for whole.
 */
export async function sendBytes(
  exchange: Exchange,
  source: BlobSource,
  lengthBytes: number,
  sent: (bytes: number) => void,
): Promise<void> {
  let first = smallBuffer(lengthBytes);
  let second = lengthBytes > first.length ? smallBuffer(lengthBytes) : first;
  let [current, other] = [first, second];
  let isSmall = true;
  let leaving: Promise<void> | undefined;
  let left = lengthBytes;
  try {
    while (left > 0) {
      if (isSmall && left > LARGE_BUFFER_BYTES && lengthBytes - left >= QUICK_BYTES) {
        // It takes more than the kernel's buffers hold, so it moves: it is worth large buffers.
        await leaving;
        isSmall = false;
        [first, second] = [takeBuffer(), takeBuffer()];
        [current, other] = [first, second];
      }
      const count = await source.read(current.length > left ? current.subarray(0, left) : current);
      if (count === 0) throw new WharfError('data-loss', 'Cannot send the blob: its file is too short');
      await leaving;
      if (!exchange.writable) throw gone();
      exchange.write(current.subarray(0, count));
      leaving = drained(exchange);
      // A rejection is met at the next turn of the loop, or below.
      leaving.catch(() => {});
      left -= count;
      sent(count);
      [current, other] = [other, current];
      if (current === other) await leaving;
    }
    await leaving;
    returnBuffer(first);
    if (second !== first) returnBuffer(second);
  } catch (error) {
    exchange.destroy();
    // The kernel may still be reading from the buffers of a broken connection: they are left to the collector, and others made.
    replaceBuffers(first, second);
    throw error;
  }
}

function replaceBuffers(...buffers: readonly Buffer[]): void {
  for (const buffer of new Set(buffers)) returnBuffer(Buffer.allocUnsafeSlow(buffer.length));
}

/** Resolves when all that was written has left for the kernel. */
function drained(exchange: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(gone()), ANSWER_STALL_MS);
    timer.unref();
    exchange.onGone(() => {
      clearTimeout(timer);
      reject(gone());
    });
    exchange.onDrain(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function gone(): WharfError {
  return new WharfError('aborted', 'Cannot send the answer: the client has gone');
}
