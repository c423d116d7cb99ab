import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';
import { isTrue } from './settings.ts';

export const kill = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'remove-orphans': { kind: 'bool', help: 'Remove containers for services not defined in the Compose file' },
    signal: { kind: 'string', short: 's', default: 'SIGKILL', help: 'SIGNAL to send to the container' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose kill -s HUP web'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    const killed = await session.withProgress('Killing', async (view) => {
      const runner = await session.runner({ project, name, view });
      return runner.kill({
        services: context.args,
        signalName: context.flags.signal,
        removeOrphans: context.flags['remove-orphans'] || isTrue(process.env['COMPOSE_REMOVE_ORPHANS']),
        signal: session.signal,
      });
    });
    // Docker compose ends this line without a line break, and so it stands in scripts.
    if (killed.length === 0) context.err.write('no container to kill');
  },
});
