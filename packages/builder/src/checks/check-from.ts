import { parseReference } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, parsePlatform } from '@wharf/oci/spec/platform';
import type { FromInstruction } from '../dockerfile/instructions/types.ts';
import { type Expansion, expand } from '../dockerfile/shell-words.ts';
import { didYouMean } from '../dockerfile/suggest.ts';
import type { Checks } from './checks.ts';

/**
 * Reports arguments of a FROM that nothing declares.
 * @param declared names, whether they have a value or not
 */
export function checkFromArgs(
  from: FromInstruction,
  { unmatched }: Expansion,
  declared: ReadonlySet<string>,
  checks: Checks,
): void {
  for (const name of unmatched) {
    if (declared.has(name)) continue;
    const text = `FROM argument '${name}' is not declared${didYouMean(name, declared)}`;
    checks.report('UndefinedArgInFrom', from.location, text);
  }
}

/** Reports a base that is made for other machines than the stage is. */
export function checkBasePlatform(from: FromInstruction, wanted: Platform, found: Platform, checks: Checks): void {
  if (wanted.os === found.os && wanted.architecture === found.architecture) return;
  const [expected, actual] = [wanted, found].map((platform) => JSON.stringify(formatPlatform(platform)));
  const text = `Base image ${from.base} was pulled with platform ${actual}, expected ${expected} for current build`;
  checks.for(from.comments).report('InvalidBaseImagePlatform', from.location, text);
}

/** Reports a `--platform` that says what is so anyway, or that ties the stage to one platform. */
export function checkFromPlatform(
  from: FromInstruction,
  expanded: Expansion,
  args: ReadonlyMap<string, string>,
  checks: Checks,
): void {
  const { matched, unmatched, text } = expanded;
  if (matched.size === 1 && unmatched.size === 0 && matched.has('TARGETPLATFORM')) {
    if (text === args.get('TARGETPLATFORM')) {
      const detail = `Setting platform to predefined ${from.platform} in FROM is redundant as this is the default behavior`;
      checks.report('RedundantTargetPlatform', from.location, detail);
    }
    return;
  }
  if (matched.size > 0 || unmatched.size > 0) return;
  const platform = readPlatform(text);
  // A stage named after its platform is meant to have just that one.
  if (platform === undefined || from.name.includes(platform.os) || from.name.includes(platform.architecture)) return;
  const detail = `FROM --platform flag should not use constant value ${JSON.stringify(text)}`;
  checks.report('FromPlatformFlagConstDisallowed', from.location, detail);
}

/** Reports stages whose base has no name of its own unless the build is given arguments. */
export function checkDefaultBases(
  stages: readonly { readonly from: FromInstruction }[],
  defaults: ReadonlyMap<string, string>,
  token: string,
  checks: Checks,
): void {
  for (const { from } of stages) {
    try {
      const { text } = expand(from.base, defaults, { escape: token });
      if (isImageName(text)) continue;
    } catch {
      // The build fails over it soon, and says so better.
      return;
    }
    const detail = `Default value for ARG ${from.base} results in empty or invalid base image name`;
    checks.report('InvalidDefaultArgInFrom', from.location, detail);
  }
}

function isImageName(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}

function readPlatform(text: string): ReturnType<typeof parsePlatform> | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}
