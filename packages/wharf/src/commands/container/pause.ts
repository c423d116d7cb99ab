import { atLeast, defineCommand } from '../../cli/command.ts';
import { forEachContainer } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';

/** `pause` and `unpause`. */
const freezer = (action: 'pause' | 'unpause', example: string) =>
  defineCommand({
    usage: 'CONTAINER [CONTAINER...]',
    flags: {},
    args: atLeast(1),
    complete: ['running-container'],
    examples: [example],
    run: async (context) => {
      const daemon = await context.client();
      const act = (name: string) => daemon.text('POST', containerPath(name, `/${action}`));
      await forEachContainer({ names: context.args, out: context.out, act });
    },
  });

export const pause = freezer('pause', 'wharf pause web      # its processes stand still, its memory stays');
export const unpause = freezer('unpause', 'wharf unpause web');
