import type { Readable } from 'node:stream';
import { WharfError } from '@wharf/kit';
import { MAX_DOCKERFILE_BYTES } from '../limits.ts';

/** Enough to tell an archive from a text: two blocks of tar(5). */
const PEEK_BYTES = 1024;
const MAGICS = [
  Buffer.from([0x1f, 0x8b]),
  Buffer.from('BZh'),
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
];

/** What standard input holds: an archive as it comes, or the text of a Dockerfile. */
export type StandardInput =
  | { readonly kind: 'archive'; readonly stream: AsyncIterable<Uint8Array> }
  | { readonly kind: 'text'; readonly text: string };

/** Looks at the beginning of a stream, and reads all of it when it is a text. Throws `invalid-argument` for nothing or too much. */
export async function readStandardInput(stream: Readable): Promise<StandardInput> {
  const iterator = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let size = 0;
  const more = async (): Promise<boolean> => {
    const next = await iterator.next();
    if (next.done === true) return false;
    chunks.push(next.value);
    size += next.value.length;
    return true;
  };
  while (size < PEEK_BYTES && (await more()));
  const head = Buffer.concat(chunks);
  if (head.length === 0)
    throw new WharfError('invalid-argument', 'Cannot build from standard input: there is nothing in it');
  if (isArchive(head)) return { kind: 'archive', stream: whole(head, iterator) };
  while (size <= MAX_DOCKERFILE_BYTES && (await more()));
  if (size > MAX_DOCKERFILE_BYTES) {
    throw new WharfError(
      'invalid-argument',
      `Cannot read a Dockerfile from standard input: it is larger than ${MAX_DOCKERFILE_BYTES} bytes and no archive`,
    );
  }
  return { kind: 'text', text: Buffer.concat(chunks).toString('utf8') };
}

async function* whole(head: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Uint8Array> {
  yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** tar(5): the magic, or for archives of old a checksum over the header that is right. */
function isArchive(head: Buffer): boolean {
  if (MAGICS.some((magic) => head.subarray(0, magic.length).equals(magic))) return true;
  if (head.length < 512) return false;
  if (head.subarray(257, 262).toString('latin1') === 'ustar') return true;
  const stated = Number.parseInt(head.subarray(148, 156).toString('latin1').replaceAll('\0', '').trim(), 8);
  const sum = head.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return stated === sum && sum !== 256;
}
