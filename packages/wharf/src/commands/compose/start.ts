import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';

export const start = defineCommand({
  usage: '[SERVICE...]',
  flags: {},
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose start        # everything that was stopped', 'wharf compose start web'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    await session.withProgress('Running', async (view) => {
      const runner = await session.runner({ project, name, view });
      await runner.start({ services: context.args, signal: session.signal });
    });
  },
});
