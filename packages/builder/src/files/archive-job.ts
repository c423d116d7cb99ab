import { createReadStream } from 'node:fs';
import { isKind } from '@wharf/kit';
import { decompress, peekCompression } from '@wharf/oci/layers/compression';
import { parseHeader } from '@wharf/oci/tar/header';

const HEADER_BYTES = 512;
const READ_BYTES = 16_384;

/**
 * Whether what is compressed in a file begins as a tar archive does. What cannot be decompressed is none, as for Docker, whose ADD takes
 * such files as they are. Throws `not-implemented` where the tool to look with is missing.
 */
export async function isArchiveJob({ path }: { readonly path: string }): Promise<boolean> {
  try {
    const peeked = await peekCompression(createReadStream(path, { highWaterMark: READ_BYTES }));
    const head: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of decompress(peeked.stream, peeked.compression)) {
      head.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= HEADER_BYTES) break;
    }
    if (bytes < HEADER_BYTES) return false;
    parseHeader(Buffer.concat(head).subarray(0, HEADER_BYTES), 0);
    return true;
  } catch (error) {
    if (isKind(error, 'data-loss')) return false;
    throw error;
  }
}
