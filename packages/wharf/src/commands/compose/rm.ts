import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ComposeSession } from './session.ts';

export const rm = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  description: `Removes stopped service containers

By default, anonymous volumes attached to containers will not be removed. You
can override this with -v. To list all volumes, use "docker volume ls".

Any data which is not in a volume will be lost.`,
  flags: {
    all: { kind: 'bool', short: 'a', hidden: true, help: 'Deprecated - no effect' },
    force: { kind: 'bool', short: 'f', help: "Don't ask to confirm removal" },
    stop: { kind: 'bool', short: 's', help: 'Stop the containers, if required, before removing' },
    volumes: { kind: 'bool', short: 'v', help: 'Remove any anonymous volumes attached to containers' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose rm -sf web     # stop it, remove it, ask nothing'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { force, stop, volumes } = context.flags;
    const { project, name } = await session.projectOrName(context.args);
    const selection = { services: context.args, signal: session.signal };
    if (stop) {
      await session.withProgress('Stopping', async (view) => {
        await (await session.runner({ project, name, view })).stop(selection);
      });
    }
    const question = await session.withProgress('Removing', async (view) => {
      const runner = await session.runner({ project, name, view });
      const found = await runner.removable(selection);
      return found.length === 0 ? undefined : `Going to remove ${found.map((each) => each.name).join(', ')}`;
    });
    if (question === undefined) {
      context.err.line('No stopped containers');
      return;
    }
    if (force) context.out.line(question);
    else if (!(await session.confirm(question))) return;
    await session.withProgress('Removing', async (view) => {
      const runner = await session.runner({ project, name, view });
      await runner.remove({ ...selection, force, volumes });
    });
  },
});
