import type { FlagValues } from '../cli/flags.ts';
import type { BUILD_FLAGS } from './build-flags.ts';

/** What a line of `wharf build` said. */
export interface BuildValues extends FlagValues<typeof BUILD_FLAGS> {
  /** Print the result as one JSON document. */
  readonly json: boolean;
}
