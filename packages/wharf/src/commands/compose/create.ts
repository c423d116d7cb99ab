import { anyArguments, defineCommand } from '../../cli/command.ts';
import { CREATE_FLAGS, checkCreate, createOptions } from './create-flags.ts';
import { ImageWork } from './image-work.ts';
import { forOnePlatform } from './platforms.ts';
import { ComposeSession } from './session.ts';

export const create = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: CREATE_FLAGS,
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose create      # everything is there, nothing runs'],
  run: async (context) => {
    const { flags, args } = context;
    checkCreate(flags);
    const session = new ComposeSession(context);
    const project = forOnePlatform(await session.load({ services: args }));
    await session.announce(project, flags.yes || flags.y);
    const options = createOptions(flags, { isPullGiven: context.given('pull'), project });
    const images = new ImageWork(session, project, { quietPull: flags['quiet-pull'], quietBuild: false });
    await session.withProgress('Creating', async (view) => {
      const runner = await session.runner({ project, name: project.name, view }, { images: images.provider(view) });
      await runner.create({
        ...options,
        services: args,
        removeOrphans: flags['remove-orphans'],
        signal: session.signal,
      });
    });
  },
});
