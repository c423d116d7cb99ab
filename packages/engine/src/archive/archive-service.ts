import type { Change } from '@wharf/oci/layers/diff';
import type { ContainerPathStat } from '@wharf/wire/docker/types';

export type { Change } from '@wharf/oci/layers/diff';

export interface ArchiveSink {
  /** Called once, before the first chunk. */
  readonly begin: (stat: ContainerPathStat) => void;
  /** The next chunk comes when its promise is done. */
  readonly write: (chunk: Buffer) => Promise<void>;
  readonly signal: AbortSignal;
}

export interface PutOptions {
  readonly path: string;
  /** tar, plain or compressed with gzip, zstd, bzip2 or xz. */
  readonly body: AsyncIterable<Uint8Array>;
  /** A directory never takes the place of something else, nor something else that of a directory. */
  readonly noOverwriteDirNonDir: boolean;
  /** Everything comes to belong to the container's user. */
  readonly copyUidGid: boolean;
  readonly signal: AbortSignal;
}

/**
 * A container's files from outside: `docker cp`, `export`, `diff`. Paths are resolved inside the container, with its
 * volumes, whether it runs or not. Throws `not-found` in Docker's words for a missing container or file.
 */
export interface ArchiveService {
  stat(idOrName: string, path: string): Promise<ContainerPathStat>;
  get(idOrName: string, path: string, sink: ArchiveSink): Promise<void>;
  put(idOrName: string, options: PutOptions): Promise<void>;
  /** The whole root filesystem without volumes. `begin` has no part in it. */
  export(idOrName: string, sink: Omit<ArchiveSink, 'begin'>): Promise<void>;
  changes(idOrName: string, signal?: AbortSignal): Promise<readonly Change[]>;
  close(): Promise<void>;
}
