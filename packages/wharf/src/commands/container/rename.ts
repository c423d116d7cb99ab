import { messageOf } from '@wharf/kit/errors';
import { defineCommand, exactly } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { containerPath } from '../../containers/path.ts';

export const rename = defineCommand({
  usage: 'CONTAINER NEW_NAME',
  flags: {},
  args: exactly(2),
  complete: ['container', 'none'],
  examples: ['wharf rename web web-old'],
  run: async (context) => {
    const [from = '', to = ''] = context.args.map((name) => name.trim());
    if (from === '' || to === '') throw new ExitError(1, 'Error: Neither old nor new names may be empty');
    const daemon = await context.client();
    try {
      await daemon.text('POST', containerPath(from, '/rename'), { query: { name: to } });
    } catch (error) {
      context.err.line(messageOf(error));
      throw new ExitError(1, `Error: failed to rename container named ${from}`);
    }
  },
});
