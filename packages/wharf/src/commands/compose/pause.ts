import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';

export const pause = defineCommand({
  usage: '[SERVICE...]',
  flags: {},
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose pause web      # its processes stand still, its memory stays'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    await session.withProgress('Pausing', async (view) => {
      const runner = await session.runner({ project, name, view });
      await runner.pause({ services: context.args, signal: session.signal });
    });
  },
});
