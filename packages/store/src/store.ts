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
  /** A page of them: those whose key starts with `prefix` and comes behind `after`, at most `limit`, in key order. Costs what it returns. */
  range(options: RangeOptions): readonly Entry<T>[];
  /** How many documents there are. */
  readonly size: number;
}

export interface RangeOptions {
  readonly prefix?: string;
  readonly after?: string;
  readonly limit?: number;
}

/** One record of a log; numbers grow by one. */
export interface LogEntry<T> {
  readonly number: number;
  readonly value: T;
}

/** Records in the order they were appended. Unlike a table's documents they are not held in memory. */
export interface Log<T> {
  /** Appends in the transaction around it and returns the record's number: 1, 2, 3 and so on without gaps, also after `trim`. */
  append(value: T): number;
  /** Records behind number `after` (0: from the beginning), oldest first, at most `limit` (1000). Reads the disk, synchronously. */
  read(options?: { readonly after?: number; readonly limit?: number }): readonly LogEntry<T>[];
  /** Forgets the records up to that number. */
  trim(upTo: number): void;
  /** The number of the newest record; 0 before the first. */
  readonly last: number;
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
  /** The log of that name; made by its first record. */
  log<T>(name: string): Log<T>;
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
