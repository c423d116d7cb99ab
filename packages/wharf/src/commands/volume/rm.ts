import { messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { objectPath } from '../../cli/object-path.ts';

/** `wharf volume rm`: those that can be removed are, whatever the others say. */
export const volumeRm = defineCommand({
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  description: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  flags: { force: { kind: 'bool', short: 'f', help: 'Force the removal of one or more volumes' } },
  args: atLeast(1),
  complete: ['volume'],
  examples: ['wharf volume rm data', 'wharf volume rm $(wharf volume ls -q -f dangling=true)'],
  run: async (context) => {
    const client = await context.client();
    const errors: string[] = [];
    for (const name of context.args) {
      try {
        await client.text('DELETE', objectPath('volume', name), { query: { force: context.flags.force || undefined } });
        context.out.line(name);
      } catch (error) {
        errors.push(messageOf(error));
      }
    }
    if (errors.length > 0) throw new ExitError(1, errors.join('\n'));
  },
});
