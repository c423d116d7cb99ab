import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';

export const unpause = defineCommand({
  usage: '[SERVICE...]',
  flags: {},
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose unpause'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    await session.withProgress('Running', async (view) => {
      const runner = await session.runner({ project, name, view });
      await runner.unpause({ services: context.args, signal: session.signal });
    });
  },
});
