import type { ChainId } from '@wharf/kit';

/**
 * A mount as data; the caller performs it (`mountSnapshot`). `options` are mount(8)'s, without the layers, which are in
 * `overlay`: `ro`, `index=off`, ….
 */
export interface Mount {
  readonly type: 'overlay' | 'bind';
  readonly source: string;
  readonly options: readonly string[];
  /** For overlay: the layers as lists, so that a stack of any depth can be mounted by fsconfig(2) one by one. */
  readonly overlay?: {
    /** Top-most first. */
    readonly lowerDirs: readonly string[];
    readonly upperDir?: string;
    readonly workDir?: string;
  };
}

export interface SnapshotInfo {
  readonly key: string;
  readonly kind: 'active' | 'committed';
  readonly parent: ChainId | '';
  readonly createdAt: string;
  /** Its layer was made without looking at what is below. */
  readonly standalone?: boolean | undefined;
  /** Files of its own layer have further names elsewhere (`TakenFiles`). */
  readonly linked?: boolean | undefined;
}

/**
 * Directory trees stacked on each other.
 *
 * A *committed* snapshot is an unpacked layer and everything below it, named by its chain id, immutable. An *active*
 * snapshot is writable, named by a free key (a container id, `extract-…`), and stands on a committed one or on nothing.
 *
 * Flows: unpack — `prepare(key, parent)`, apply the layer into `layerDir(key)`, `commit(chainId, key)`;
 * run — `prepare(containerId, chainId)`, mount `mounts(containerId)`; remove — unmount, `remove(containerId)`.
 *
 * State is kept so that a crash at any point leaves either the snapshot or nothing; `recover()` removes remnants.
 */
export interface Snapshotter {
  readonly name: 'overlayfs' | 'copy';
  /**
   * Makes an active snapshot, bounded to `sizeBytes` of its own files when given. Throws `already-exists`; `not-found` when the
   * parent is missing; `invalid-argument` where the filesystem keeps no project quotas to bound it by.
   */
  prepare(key: string, parent: ChainId | '', options?: { readonly sizeBytes?: number | undefined }): Promise<void>;
  /**
   * What to mount to see an active snapshot read-write, or a committed one read-only. Throws `not-found`. `readOnly` shows
   * an active one without a claim on it, also while it is mounted elsewhere. `volatile` leaves out all syncing, which
   * makes unmounting much cheaper: for what nobody keeps (`--rm`).
   */
  mounts(key: string, options?: { readonly readOnly?: boolean; readonly volatile?: boolean }): readonly Mount[];
  /** A snapshot's own directory and those below it, topmost first; one alone where every snapshot is a whole tree. */
  layerDirs(key: string): readonly string[];
  /** The directory that receives one layer's own files (overlay's upper). Only for active snapshots. */
  layerDir(key: string): string;
  /**
   * Turns an active snapshot into a committed one. Committing an existing chain id removes the active one and succeeds.
   * `parent` puts a snapshot prepared on nothing onto another, so that layers can be unpacked in any order (overlayfs
   * only). A `standalone` one's layer is all that is in its own directory, whatever is below; a `linked` one's has files that are
   * elsewhere, too. It survives a crash of this process at once, and one of the machine after `sync`, which runs by itself soon.
   */
  commit(
    name: ChainId,
    key: string,
    options?: { readonly parent?: ChainId | ''; readonly standalone?: boolean; readonly linked?: boolean },
  ): Promise<void>;
  /** Resolves when everything committed so far is on disk. */
  sync(): Promise<void>;
  /** Removes it. Idempotent. Throws `failed-precondition` while another stands on it. */
  remove(key: string): Promise<void>;
  stat(key: string): SnapshotInfo | undefined;
  list(): readonly SnapshotInfo[];
  /**
   * Bytes and inodes of its own files, as `du` counts them. It is entangled when it shares some of them with others, which is so for
   * layers that a builder made of the same files.
   */
  usage(key: string): Promise<{ readonly sizeBytes: number; readonly inodes: number; readonly isEntangled: boolean }>;
  /** Bytes of several together, where what they share counts once. */
  usageTogether(keys: readonly string[]): Promise<number>;
  /** After a start: removes what a crash left. Returns what it removed, for the log. */
  recover(): Promise<readonly string[]>;
  /** Waits for work in the background (deleting, syncing). The snapshotter is not used after it. */
  close(): Promise<void>;
}
