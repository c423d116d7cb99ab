import { WharfError } from '@wharf/kit/errors';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import { forEachContainer } from '../../containers/many.ts';
import { containerPath } from '../../containers/path.ts';

export const rm = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Force the removal of a running container (uses SIGKILL)' },
    link: { kind: 'bool', short: 'l', help: 'Remove the specified link' },
    volumes: { kind: 'bool', short: 'v', help: 'Remove anonymous volumes associated with the container' },
  },
  args: atLeast(1),
  complete: ['container'],
  examples: ['wharf rm web', 'wharf rm -fv web      # stops it first, and takes its unnamed volumes along'],
  run: async (context) => {
    const { force, link, volumes } = context.flags;
    const query = { force: force || undefined, link: link || undefined, v: volumes || undefined };
    const daemon = await context.client();
    await forEachContainer({
      names: context.args,
      out: context.out,
      act: async (given) => {
        const name = given.replaceAll(/^\/+|\/+$/g, '');
        if (name === '') throw new WharfError('invalid-argument', 'container name cannot be empty');
        await daemon.text('DELETE', containerPath(name), { query });
      },
      // What is gone already is what was wanted.
      forgive: (error) => {
        const isGone = force && isStatus(error, 404);
        if (isGone) context.err.line(error.message);
        return isGone;
      },
    });
  },
});
