import { atLeast, defineCommand } from '../../cli/command.ts';
import { forEachContainer } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';

export const kill = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: { signal: { kind: 'string', short: 's', help: 'Signal to send to the container' } },
  args: atLeast(1),
  complete: ['running-container'],
  examples: ['wharf kill web', 'wharf kill -s HUP web      # nginx and others read their configuration again'],
  run: async (context) => {
    const query = { signal: context.flags.signal || undefined };
    const daemon = await context.client();
    const act = (name: string) => daemon.text('POST', containerPath(name, '/kill'), { query });
    await forEachContainer({ names: context.args, out: context.out, act });
  },
});
