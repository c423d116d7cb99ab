import type { Platform } from '@wharf/oci/spec/image';
import { parsePlatform } from '@wharf/oci/spec/platform';
import { checkFromArgs, checkFromPlatform } from '../checks/check-from.ts';
import type { Checks } from '../checks/checks.ts';
import type { FromInstruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError, withLocation } from '../dockerfile/location.ts';
import { type Expansion, expand } from '../dockerfile/shell-words.ts';
import { didYouMean } from '../dockerfile/suggest.ts';

import type { GlobalArgs } from './global-args.ts';

/** A FROM with its variables expanded. */
export interface FromLine {
  readonly baseName: string;
  /** Undefined for that of the build. */
  readonly platform: Platform | undefined;
  /** The arguments it took values from. */
  readonly usedArgs: ReadonlySet<string>;
}

/** Expands a FROM with the global arguments. Throws a DockerfileError with its lines. */
export function readFromLine(
  from: FromInstruction,
  { values: args, notes }: GlobalArgs,
  token: string,
  checks: Checks | undefined,
): FromLine {
  const own = checks?.for(from.comments);
  const expanded = (text: string): Expansion => {
    const found = expand(text, args, { escape: token });
    if (own !== undefined) checkFromArgs(from, found, new Set([...args.keys(), ...notes.keys()]), own);
    return found;
  };
  try {
    const base = expanded(from.base);
    if (base.text === '') throw new DockerfileError(`base name (${from.base}) should not be blank`);
    if (from.platform === '') return { baseName: base.text, platform: undefined, usedArgs: base.matched };
    const written = expanded(from.platform);
    if (own !== undefined) checkFromPlatform(from, written, args, own);
    const platform = readPlatform(from.platform, written, args);
    return { baseName: base.text, platform, usedArgs: base.matched.union(written.matched) };
  } catch (error) {
    throw withLocation(error, from.location);
  }
}

function readPlatform(source: string, { text, unmatched }: Expansion, args: ReadonlyMap<string, string>): Platform {
  const hint = [...unmatched].map((name) => didYouMean(name, args.keys())).find((found) => found !== '') ?? '';
  if (text === '') throw new DockerfileError(`empty platform value from expression ${source}${hint}`);
  try {
    return parsePlatform(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new DockerfileError(`failed to parse platform ${source}: ${message}${hint}`);
  }
}
