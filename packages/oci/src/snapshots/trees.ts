import { layerPool } from '../workers/pool.ts';

const module = import.meta.resolve('./tree-jobs.ts');

/** Work on whole trees, done in worker threads. */
export const trees = {
  /** Deletes everything in a directory but the directory. */
  empty: (directory: string): Promise<void> => layerPool.run({ module, job: 'emptyJob', params: { directory } }),
  /** Bytes and inodes as `du` counts them. */
  usage: (directory: string): Promise<{ sizeBytes: number; inodes: number; isEntangled: boolean }> =>
    layerPool.run({ module, job: 'usageJob', params: { directory } }),
  /** Bytes of several trees, each file for the first that has it. */
  share: (directories: readonly string[]): Promise<readonly number[]> => {
    const parts = directories.map((directory) => ({ directory, isLast: false }));
    return layerPool.run({ module, job: 'attributeJob', params: { parts } });
  },
  /** Writes back the file system a directory is on. */
  sync: (directory: string): Promise<void> => layerPool.run({ module, job: 'syncJob', params: { directory } }),
  /** Copies a tree into an existing directory. */
  copy: (from: string, to: string): Promise<void> => layerPool.run({ module, job: 'copyJob', params: { from, to } }),
  /** Gives an existing directory the files of another under further names, but copies of those that are in one of the layers. */
  link: (from: string, to: string, layers: readonly string[]): Promise<void> =>
    layerPool.run({ module, job: 'copyJob', params: { from, to, link: { apartFrom: layers } } }),
};
