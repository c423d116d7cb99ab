import type { FlagValues } from '../commands/flag-table.ts';
import type { BUILD_FLAGS } from './build-flags.ts';

/** What a line of `wharf build` said. */
export type BuildValues = FlagValues<typeof BUILD_FLAGS>;
