import type { Digest } from '@wharf/kit';

/** A document that belongs to a build: its log, its error, a statement about its result. */
export interface RecordBlob {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a build came to, for one platform or for all of it. */
export interface RecordResult {
  /** What exporters made, by their number. */
  readonly results: Readonly<Record<number, RecordBlob>>;
  readonly attestations: readonly RecordBlob[];
}

/** How many steps a build had. */
export interface RecordSteps {
  readonly total: number;
  readonly cached: number;
  readonly completed: number;
  readonly warnings: number;
}

/** One build as the history keeps it: a plain document. */
export interface BuildRecord {
  readonly ref: string;
  readonly frontend: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly exporters: readonly { readonly type: string; readonly attrs: Readonly<Record<string, string>> }[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Absent while the build goes on. */
  readonly completedAt?: number;
  /** A gRPC status; absent for a build that went well. */
  readonly error?: { readonly code: number; readonly message: string };
  /** The error with its details. */
  readonly errorDetails?: RecordBlob;
  readonly logs?: RecordBlob;
  /** What the exporters told the client. */
  readonly response: Readonly<Record<string, string>>;
  readonly result?: RecordResult;
  /** By platform, for a build for several. */
  readonly results?: Readonly<Record<string, RecordResult>>;
  readonly steps: RecordSteps;
  readonly pinned: boolean;
  /** Grows with each change after the end. */
  readonly generation: number;
}

/** In the words that clients filter by. */
export type RecordStatus = 'running' | 'completed' | 'error' | 'canceled';

export function statusOf({ completedAt, error }: BuildRecord): RecordStatus {
  if (completedAt === undefined) return 'running';
  if (error === undefined) return 'completed';
  return error.message.includes('context canceled') ? 'canceled' : 'error';
}

/** Every document that a record refers to and the history keeps. What exporters made is the images' own. */
export function blobsOf(record: BuildRecord): readonly Digest[] {
  const results = [record.result, ...Object.values(record.results ?? {})];
  const blobs = [record.errorDetails, record.logs, ...results.flatMap((result) => result?.attestations ?? [])];
  return blobs.flatMap((blob) => (blob === undefined ? [] : [blob.digest]));
}
