import { messageOf, WharfError } from '@wharf/kit/errors';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { readPlatform } from '../../cli/platform.ts';

/** The platform as requests name it. Throws in docker's words. */
export function platformQuery(text: string): string {
  try {
    return formatPlatform(readPlatform(text));
  } catch (error) {
    throw new WharfError('invalid-argument', `error parsing specified platform: ${messageOf(error)}`, { cause: error });
  }
}
