import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';
import { TIMEOUT_FLAG, timeoutOf } from './timeout-flag.ts';

export const stop = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: TIMEOUT_FLAG,
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose stop         # containers stay, and start again by `start`', 'wharf compose stop -t 1 web'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    await session.withProgress('Stopping', async (view) => {
      const runner = await session.runner({ project, name, view });
      await runner.stop({ services: context.args, ...timeoutOf(context.flags), signal: session.signal });
    });
  },
});
