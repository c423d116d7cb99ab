import { WharfError } from '@wharf/kit/errors';
import { parsePlatform } from '@wharf/oci/spec/platform';

/** A platform of the command line as docker's client reads it: a variant only where one was said. Throws `invalid-argument`. */
export function readPlatform(text: string): ReturnType<typeof parsePlatform> {
  const parts = text.split('/');
  if (parts.length > 3) {
    throw new WharfError('invalid-argument', `"${text}": cannot parse platform specifier: invalid argument`);
  }
  const { variant: _implied, ...plain } = parsePlatform(text);
  const said = parts[2];
  return said === undefined || (plain.architecture === 'amd64' && said === 'v1') ? plain : { ...plain, variant: said };
}
