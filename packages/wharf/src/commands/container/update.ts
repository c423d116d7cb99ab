import { messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { containerPath } from '../../containers/path.ts';
import { isAnythingGiven, UPDATE_FLAGS, updateBody } from '../../containers/update-body.ts';

export const update = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: UPDATE_FLAGS,
  args: atLeast(1),
  complete: ['container'],
  examples: ['wharf update -m 512m --memory-swap 1g web', 'wharf update --restart unless-stopped web db'],
  run: async (context) => {
    if (!isAnythingGiven((name) => context.given(name))) {
      throw new ExitError(1, 'you must provide one or more flags when using this command');
    }
    const body = updateBody(context.flags);
    const daemon = await context.client();
    const warnings: string[] = [];
    const failures: string[] = [];
    for (const name of context.args) {
      try {
        const answer = await daemon.json<{ readonly Warnings?: readonly string[] | null }>(
          'POST',
          containerPath(name, '/update'),
          { body },
        );
        warnings.push(...(answer.Warnings ?? []));
        context.out.line(name);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
    if (warnings.length > 0) context.out.line(warnings.join('\n'));
    if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
  },
});
