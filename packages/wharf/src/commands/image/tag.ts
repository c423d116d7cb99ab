import { messageOf, WharfError } from '@wharf/kit/errors';
import { DEFAULT_TAG, familiarName, parseReference } from '@wharf/kit/reference';
import { defineCommand, exactly } from '../../cli/command.ts';
import { imagePath } from '../../images/image-path.ts';

/** `wharf tag`: another name for an image. */
export const tag = defineCommand({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  description: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  flags: {},
  args: exactly(2),
  interspersed: false,
  complete: ['image', 'image'],
  examples: ['wharf tag app:latest registry.example.org/team/app:1.2'],
  run: async (context) => {
    const [source = '', target = ''] = context.args;
    if (!/^[0-9a-f]{64}$/.test(source)) parse(source);
    const reference = parse(target);
    if (reference.digest !== undefined) {
      throw new WharfError('invalid-argument', 'refusing to create a tag with a digest reference');
    }
    const query = { repo: familiarName(reference), tag: reference.tag ?? DEFAULT_TAG };
    await (await context.client()).text('POST', imagePath(source, '/tag'), { query });
  },
});

function parse(text: string) {
  try {
    return parseReference(text);
  } catch (cause) {
    const why = `"${text}" is not a valid repository/tag: ${messageOf(cause)}`;
    throw new WharfError('invalid-argument', `Error parsing reference: ${why}`, { cause });
  }
}
