import { extract } from '@wharf/oci/layers/apply-job';
import { decompress, peekCompression } from '@wharf/oci/layers/compression';
import { Packer } from '@wharf/oci/layers/packer';
import { walk } from '@wharf/oci/layers/walk';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inRoot } from '@wharf/oci/workers/root';

/** Archives a volume's content, with the data directory itself as `./`, so that its owner and mode come along. */
export function packJob({ path }: { readonly path: string }, io: JobIo): Promise<void> {
  return inRoot(path, async () => {
    const packer = new Packer({ wholeSeconds: false });
    for (const { path: at, name, status } of walk('/')) {
      for (const chunk of packer.addFile(at, name === '' ? '.' : name, status)) await io.write(chunk);
      io.signal.throwIfAborted();
    }
    for (const chunk of packer.end()) await io.write(chunk);
  });
}

/** Unpacks the job's input, compressed or not, with the volume's data directory as root: nothing in it can lead out. */
export async function unpackJob({ path }: { readonly path: string }, io: JobIo): Promise<void> {
  const { stream, compression } = await peekCompression(io.input);
  const plain = decompress(stream, compression);
  await inRoot(path, async () => {
    await extract(plain, { base: '', whiteouts: 'none', parents: 'make' }, io.signal);
  });
}
