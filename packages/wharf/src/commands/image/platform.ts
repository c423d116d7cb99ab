import { messageOf, WharfError } from '@wharf/kit/errors';

/**
 * The `platform` parameter of a request, as `--platform` says it; `undefined` where it says nothing. Throws `invalid-argument`, with
 * `prefix` before the reason.
 */
export async function platformQuery(text: string | undefined, prefix = ''): Promise<object | undefined> {
  if (text === undefined || text === '') return undefined;
  const { readPlatform } = await import('../../cli/platform.ts');
  try {
    return readPlatform(text);
  } catch (error) {
    throw new WharfError('invalid-argument', prefix + messageOf(error), { cause: error });
  }
}
