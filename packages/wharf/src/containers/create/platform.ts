import { messageOf, WharfError } from '@wharf/kit/errors';
import { formatPlatform, parsePlatform } from '@wharf/oci/spec/platform';

/** The platform as requests name it: variants only where they were said. Throws in docker's words. */
export function platformQuery(text: string): string {
  try {
    if (text.split('/').length > 3) {
      throw new WharfError('invalid-argument', `"${text}": cannot parse platform specifier: invalid argument`);
    }
    const platform = parsePlatform(text);
    const [, , said] = text.split('/');
    const { variant: _, ...plain } = platform;
    const kept =
      said === undefined || (platform.architecture === 'amd64' && said === 'v1') ? plain : { ...plain, variant: said };
    return formatPlatform(kept);
  } catch (error) {
    throw new WharfError('invalid-argument', `error parsing specified platform: ${messageOf(error)}`, { cause: error });
  }
}
