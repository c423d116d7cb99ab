import { readFileSync, statSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';

/** What conversions ask of the machine the client runs on. */
export interface HostFiles {
  /** Throws what the system says. */
  read(path: string): Buffer;
  kind(path: string): 'file' | 'directory' | 'missing';
}

export const hostFiles: HostFiles = {
  read: (path) => readFileSync(path),
  kind(path) {
    try {
      return statSync(path).isDirectory() ? 'directory' : 'file';
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return 'missing';
      throw error;
    }
  },
};
