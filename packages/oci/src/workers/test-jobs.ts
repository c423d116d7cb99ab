import { WharfError } from '@wharf/kit';
import type { JobIo } from './protocol.ts';

/** Sends its input back, a byte more on each. */
export async function echoJob(_: unknown, io: JobIo): Promise<number> {
  let bytes = 0;
  for await (const chunk of io.input) {
    bytes += chunk.length;
    await io.write(new Uint8Array(chunk.map((byte) => byte + 1)));
  }
  io.note('done');
  return bytes;
}

/** Sends so many chunks, each full of its number; returns in how many pieces of memory they were. */
export async function thriftyJob({ chunks }: { readonly chunks: number }, io: JobIo): Promise<number> {
  const seen = new Set<number>();
  for (let index = 0; index < chunks; index += 1) {
    const chunk = io.memory(200_000);
    // What nobody has written to yet is new.
    if (chunk[100_000] === 0) seen.add(index);
    await io.write(chunk.fill(index + 1));
  }
  return seen.size;
}

/** Sends chunks until its caller has had enough. */
export async function endlessJob(_: unknown, io: JobIo): Promise<void> {
  for (;;) await io.write(new Uint8Array(256 * 1024));
}

export async function failJob({ kind }: { readonly kind: 'wharf' | 'system' | 'exit' }): Promise<void> {
  if (kind === 'exit') process.exit(3);
  if (kind === 'wharf') throw new WharfError('conflict', 'Cannot do it: no', { code: 'no', details: { a: 1 } });
  throw Object.assign(new Error('EPERM: not allowed'), { code: 'EPERM' });
}

/** Ends before its input does. */
export async function impatientJob(_: unknown, io: JobIo): Promise<string> {
  for await (const chunk of io.input) return chunk.toString();
  return '';
}
