import type { ByteString } from './bytes.ts';

export type TarType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo' | 'other';

/** A stretch of a sparse file that holds data; all else reads as zeros. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** One member of an archive, whatever dialect (v7, ustar, PAX, GNU, star) wrote it. */
export interface TarEntry {
  /** As archived, neither cleaned nor confined; a directory may or may not end in `/`. */
  readonly name: ByteString;
  readonly type: TarType;
  /** The raw type flag, for messages about `other`. */
  readonly typeFlag: string;
  /** Permission, setuid, setgid and sticky bits (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly userName: ByteString;
  readonly groupName: ByteString;
  /** The size of the file as it will be read, holes included; 0 for what has no content. */
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** The target of a link or symlink. */
  readonly linkName: ByteString;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** By full name (`security.capability`), without the archive's prefix. */
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Present for a sparse file: in ascending order, without overlap. */
  readonly extents?: readonly Extent[];
  /** The PAX records in force for this entry, global ones included. */
  readonly pax: ReadonlyMap<string, ByteString>;
}

/** What `TarWriter` needs to know of an entry; what is left out is zero or empty. */
export interface TarEntryInit {
  readonly name: ByteString;
  readonly type: Exclude<TarType, 'other'>;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly userName?: ByteString;
  readonly groupName?: ByteString;
  readonly sizeBytes?: number;
  readonly mtimeNs?: bigint;
  readonly linkName?: ByteString;
  readonly deviceMajor?: number;
  readonly deviceMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}
