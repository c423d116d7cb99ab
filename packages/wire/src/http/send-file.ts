import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { WEB_CLIENT_LIMITS } from './web-client-limits.ts';

/** A part of a file as the body of a request. */
export interface FileBody {
  readonly path: string;
  readonly start: number;
  readonly endExclusive: number;
  /** Told the offset behind the bytes the kernel has taken. */
  readonly onSent?: (offset: number) => void;
}

/**
 * Writes a part of a file and ends the sink. Two buffers take turns, reading and being sent: memory stays small and warm, where a
 * stream would take fresh memory for each piece. Rejects when the file or the sink fails, or is shorter than it should be.
 */
export async function sendFile({ path, start, endExclusive, onSent }: FileBody, sink: Writable): Promise<void> {
  await using file = await open(path, 'r');
  const size = Math.min(WEB_CLIENT_LIMITS.sendBytes, Math.max(1, endExclusive - start));
  const buffers = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)] as const;
  let sending: Promise<void> = Promise.resolve();
  for (let at = start, turn = 0; at < endExclusive; turn ^= 1) {
    const buffer = turn === 0 ? buffers[0] : buffers[1];
    const { bytesRead } = await file.read(buffer, 0, Math.min(size, endExclusive - at), at);
    if (bytesRead === 0) throw new Error(`${path} is shorter than expected`);
    at += bytesRead;
    const offset = at;
    await sending;
    sending = write(sink, buffer.subarray(0, bytesRead)).then(() => onSent?.(offset));
    // A failure is met at the next turn.
    sending.catch(() => undefined);
  }
  await sending;
  sink.end();
}

function write(sink: Writable, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    if (sink.destroyed) reject(new Error('the connection is closed'));
    const closed = (): void => reject(new Error('the connection is closed'));
    sink.once('close', closed);
    sink.write(bytes, (error) => {
      sink.off('close', closed);
      if (error) reject(error);
      else resolve();
    });
  });
}
