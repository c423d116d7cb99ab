import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';

/** The operations durability hangs on, so that tests can make them fail. */
export interface FileOperations {
  datasync(file: FileHandle): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  write(file: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<number>;
  rename(from: string, to: string): Promise<void>;
  link(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export const realFiles: FileOperations = {
  datasync: (file) => file.datasync(),
  async syncDirectory(path) {
    await using directory = await open(path, 'r');
    await directory.sync();
  },
  write: async (file, chunks, position) => (await file.writev([...chunks], position)).bytesWritten,
  rename,
  link,
  remove: (path) => rm(path, { force: true }),
};
