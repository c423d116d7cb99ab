import { atLeast, defineCommand } from '../../cli/command.ts';
import { forEachContainer } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';
import { STOP_FLAGS, stopQuery } from './stop-flags.ts';

export const stop = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: STOP_FLAGS,
  args: atLeast(1),
  complete: ['running-container'],
  examples: ['wharf stop web db', 'wharf stop -t 60 db      # a minute to finish, then it is killed'],
  run: async (context) => {
    const query = stopQuery(context.flags);
    const daemon = await context.client();
    const act = (name: string) => daemon.text('POST', containerPath(name, '/stop'), { query });
    await forEachContainer({ names: context.args, out: context.out, act });
  },
});
