import { WharfError } from '@wharf/kit';
import type { HostConfig } from '@wharf/wire/docker/types';
import { parseSize } from '../volumes/driver-options.ts';

/** What `--storage-opt size=` allows a container to write. Throws `invalid-argument` for another option or a bad size. */
export function rootfsLimit({ StorageOpt }: HostConfig): { readonly sizeBytes?: number } {
  let sizeBytes: number | undefined;
  for (const [name, value] of Object.entries(StorageOpt ?? {})) {
    if (name.toLowerCase() !== 'size') throw new WharfError('invalid-argument', `Unknown option ${name}`);
    sizeBytes = parseSize(value);
  }
  return sizeBytes === undefined || sizeBytes === 0 ? {} : { sizeBytes };
}
