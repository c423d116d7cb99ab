/** One document with the revision of its last change. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
  readonly revision: number;
}

export interface PutOptions {
  /**
   * Compare-and-put: the write happens only when the document's revision is this one, or, for 0, when there is none.
   * Otherwise `conflict` is thrown and nothing changes.
   */
  readonly ifRevision?: number;
}

/**
 * Documents by key. A document is plain JSON data (no bigint, no undefined members that must survive) and belongs to the
 * store once put: nobody changes it in place, a change is a new document.
 */
export interface Table<T> {
  get(key: string): T | undefined;
  /** As `get`, with the revision for a later compare-and-put. */
  entry(key: string): Entry<T> | undefined;
  /**
   * Stores a document and returns its revision; revisions grow over the whole store and never come twice.
   * Throws `conflict` (see `ifRevision`), `invalid-argument` for a value that is no JSON or a bad key,
   * `resource-exhausted` past the limits.
   */
  put(key: string, value: T, options?: PutOptions): number;
  /** Removes a document; false when there was none. */
  delete(key: string, options?: PutOptions): boolean;
  /** All documents whose key starts with `prefix`, in key order. */
  list(prefix?: string): readonly Entry<T>[];
}

/**
 * The durable state of one daemon.
 *
 * Reads see every write at once. Writes reach the disk in groups: what was put in one turn of the event loop, and what is
 * put while the disk is busy, goes down in one atomic step, in order. After a crash the store holds exactly a prefix of
 * the groups, and at least all that `committed` resolved for.
 */
export interface Store {
  /** The table of that name; made by its first document. */
  table<T>(name: string): Table<T>;
  /**
   * Runs synchronous work whose writes are all kept or, when it throws, all undone; on disk they are in one group.
   * May be nested: the inner one joins the outer.
   */
  transaction<T>(work: () => T): T;
  /**
   * Resolves when everything put so far is on disk. Rejects with `data-loss` or `resource-exhausted` when it could not be
   * written; the writes stay visible and are tried again with the next group.
   */
  committed(): Promise<void>;
  /** Writes what is left and lets go of the file; synchronous. Using the store afterwards is a bug. Idempotent. */
  close(): void;
}
