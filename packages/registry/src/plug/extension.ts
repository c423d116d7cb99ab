import type { Digest } from '@wharf/kit';
import type { Call } from '../http/call.ts';
import type { Identity } from './access.ts';

/** Further abilities of a registry. Extensions are asked in the order in which they were given. */
export interface Extension {
  readonly name: string;
  /** Answers requests of paths that are not the specification's (a token endpoint, an administration API); false when it is not its own. */
  handle?(call: Call): Promise<boolean> | boolean;
  /** A manifest is not here: fetch it (pull-through) and return true when the catalog has it now. `reference` is a tag or a digest. */
  findManifest?(wanted: { repository: string; reference: string; identity: Identity }): Promise<boolean>;
  /** The same before a manifest that *is* here is served by tag, when a copy may have aged. Resolves when it is fit to be served. */
  freshen?(wanted: { repository: string; tag: string }): Promise<void> | undefined;
  /** A blob is not here. */
  findBlob?(wanted: { repository: string; digest: Digest; identity: Identity }): Promise<boolean>;
  /** A manifest was served; called often, so it must be quick. */
  pulled?(what: { repository: string; digest: Digest; tag: string | undefined; identity: Identity }): void;
  close?(): Promise<void>;
}
