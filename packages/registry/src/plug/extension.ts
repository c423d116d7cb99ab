import type { Digest } from '@wharf/kit';
import type { Call } from '../http/call.ts';
import type { BlobSource } from '../storage/storage.ts';
import type { Identity } from './access.ts';

/** A blob that is on its way in and can be read meanwhile. */
export interface ComingBlob {
  readonly sizeBytes: number;
  /** `undefined` when the storage cannot show what is not whole: it has been waited for, and the repository has it. */
  open(range: { readonly start: number; readonly endExclusive: number }): Promise<BlobSource | undefined>;
}

/** One number of `/metrics`. */
export interface Metric {
  /** Without the common prefix. */
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** Further abilities of a registry. Extensions are asked in the order in which they were given. */
export interface Extension {
  readonly name: string;
  /** Answers requests of paths that are not the specification's (a token endpoint, an administration API); false when it is not its own. */
  handle?(call: Call): Promise<boolean> | boolean;
  /** A manifest is not here: fetch it (pull-through) and return true when the catalog has it now. `reference` is a tag or a digest. */
  findManifest?(wanted: { repository: string; reference: string; identity: Identity }): Promise<boolean>;
  /** The same before a manifest that *is* here is served by tag, when a copy may have aged. Resolves when it is fit to be served. */
  freshen?(wanted: { repository: string; tag: string }): Promise<void> | undefined;
  /** A blob is not here: true when the repository has it now, or what can be sent of it while it comes. */
  findBlob?(wanted: { repository: string; digest: Digest; identity: Identity }): Promise<boolean | ComingBlob>;
  /** Referrers are about to be listed: have those here that are elsewhere. */
  findReferrers?(wanted: { repository: string; subject: Digest }): Promise<void> | undefined;
  /** A manifest was served; called often, so it must be quick. */
  pulled?(what: { repository: string; digest: Digest; tag: string | undefined; identity: Identity }): void;
  metrics?(): readonly Metric[];
  close?(): Promise<void>;
}
