import type { Project } from '@wharf/compose/model/project';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ImageWork } from './image-work.ts';
import { LogPrinter } from './log-printer.ts';
import { forOnePlatform } from './platforms.ts';
import { ComposeSession } from './session.ts';
import { startWatch } from './watch/start-watch.ts';

export const watch = defineCommand({
  usage: '[SERVICE...]',
  flags: {
    'no-up': { kind: 'bool', help: 'Do not build & start services before watching' },
    prune: { kind: 'bool', default: true, help: 'Prune dangling images on rebuild' },
    quiet: { kind: 'bool', help: 'hide build output' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose watch           # what develop.watch of the services says, until ctrl-C'],
  run: async (context) => {
    const { flags, args, out, err } = context;
    const session = new ComposeSession(context);
    const project = forOnePlatform(await session.load({ services: args }));
    const images = new ImageWork(session, project, { quietPull: flags.quiet, quietBuild: flags.quiet });
    if (!flags['no-up']) {
      await session.withProgress('Running', async (view) => {
        const built = withBuilds(project);
        const runner = await session.runner(
          { project: built, name: project.name, view },
          { images: images.provider(view) },
        );
        await runner.up({ services: args, recreateDependencies: 'never', signal: session.signal });
      });
    }
    const consumer = new LogPrinter({
      ...{ out: (bytes) => out.write(bytes), err: (bytes) => err.write(bytes) },
      ...{ coloured: false, prefix: false, timestamps: false },
    });
    const { signal } = session;
    await using _watch = await startWatch({
      session,
      project,
      images,
      services: args,
      consumer,
      prune: flags.prune,
      signal,
    });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    consumer.log('', 'Watch disabled');
    throw signal.reason;
  },
});

/** Services whose files are watched are built before, so that the container begins with all of them. */
function withBuilds(project: Project): Project {
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => {
      const isBuilt = service.build !== undefined && service.develop?.watch !== undefined;
      return [name, isBuilt ? { ...service, pull_policy: 'build' } : service];
    }),
  );
  return { ...project, services };
}
