import { statfsSync } from 'node:fs';
import { messageOf } from '@wharf/kit';
import { LEAST_FREE_BYTES } from '../limits.ts';

/** Why the registry under that root should be sent no requests now; `undefined` when it is fit. */
export function diskTrouble(root: string): string | undefined {
  try {
    const { bavail, bsize } = statfsSync(root);
    const free = bavail * bsize;
    return free < LEAST_FREE_BYTES ? `the disk is full: ${free} bytes are free` : undefined;
  } catch (error) {
    return `the disk cannot be asked: ${messageOf(error)}`;
  }
}
