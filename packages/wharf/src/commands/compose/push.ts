import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ImageWork } from './image-work.ts';
import { quietProgress } from './progress/plain.ts';
import { ComposeSession } from './session.ts';

export const push = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  flags: {
    'ignore-push-failures': { kind: 'bool', help: 'Push what it can and ignores images with push failures' },
    'include-deps': { kind: 'bool', help: 'Also push images of services declared as dependencies' },
    quiet: { kind: 'bool', short: 'q', help: 'Push without printing progress information' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose push web'],
  run: async (context) => {
    const { flags, args } = context;
    const session = new ComposeSession(context);
    const project = await session.load({ services: args, select: flags['include-deps'] ? 'dependencies' : 'none' });
    const work = new ImageWork(session, project, { quietPull: false, quietBuild: false });
    await session.withProgress('Pushing', async (shown) => {
      const view = flags.quiet ? quietProgress() : shown;
      const pushes = Object.entries(project.services).flatMap(([name, { image, build }]) => {
        if (image !== undefined && build !== undefined)
          return [image, ...(build.tags ?? [])].map((tag) => ({ name, tag }));
        view.event({ id: name, status: 'done', text: 'Skipped' });
        return [];
      });
      await Promise.all(
        pushes.map(async ({ name, tag }) => {
          try {
            await work.push(tag, view, session.signal);
          } catch (error) {
            if (!flags['ignore-push-failures'] || session.signal.aborted || !(error instanceof Error)) throw error;
            view.tail(`Pushing ${name}: ${error.message}`);
          }
        }),
      );
    });
  },
});
