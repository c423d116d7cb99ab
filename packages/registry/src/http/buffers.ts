import { LARGE_BUFFER_BYTES, LARGE_BUFFERS, SMALL_BUFFER_BYTES } from '../limits.ts';

const free: Buffer[] = [];
let made = 0;

/** A buffer for the beginning of a download: small, so that many slow ones cannot hold much memory. */
export function smallBuffer(wantedBytes: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.max(1, Math.min(wantedBytes, SMALL_BUFFER_BYTES)));
}

/**
 * A buffer for reading from a file: a large one while there are any, which saves system calls, else a small one. Give it back with
 * `returnBuffer` once nothing reads from it any more.
 */
export function takeBuffer(): Buffer {
  const found = free.pop();
  if (found !== undefined) return found;
  if (made >= LARGE_BUFFERS) return Buffer.allocUnsafeSlow(SMALL_BUFFER_BYTES);
  made += 1;
  return Buffer.allocUnsafeSlow(LARGE_BUFFER_BYTES);
}

export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_BUFFER_BYTES) free.push(buffer);
}
