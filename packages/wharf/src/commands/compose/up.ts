import { noSuchService } from '@wharf/compose/load/select';
import type { Project } from '@wharf/compose/model/project';
import type { UpOptions } from '@wharf/compose/run/runner';
import { anyArguments, type Command, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import { createOptions } from './create-flags.ts';
import { ImageWork } from './image-work.ts';
import { forOnePlatform } from './platforms.ts';
import { PROJECT_FLAGS } from './project-flags.ts';
import { ComposeSession } from './session.ts';
import { isTrue } from './settings.ts';
import { UP_FLAGS, type UpValues, upMode } from './up-flags.ts';

const command = {
  usage: '[OPTIONS] [SERVICE...]',
  args: anyArguments,
  complete: ['service'] as const,
  description: `Create and start containers

What changed since the last time is made anew, what did not is left alone: \`wharf compose plan\` says beforehand what that will be.
Without -d the containers' output is shown; ctrl-C stops them, a second ctrl-C kills them.`,
  examples: [
    "wharf compose up                        # in the foreground, with everybody's output",
    'wharf compose up -d --wait              # in the background, once all is healthy',
    'wharf compose up -d --build web         # one service, built anew',
    'wharf compose up -d --scale worker=3',
    'wharf compose up --watch                # files of the host follow into the containers',
  ],
};

/** `wharf compose up`. */
export const up: Command = defineCommand({
  ...command,
  flags: UP_FLAGS,
  run: (context) => runUp(context, context.flags),
});

/** `wharf up`: the same, with the flags of `compose` itself. */
export const upShort: Command = defineCommand({
  ...command,
  flags: { ...PROJECT_FLAGS, ...UP_FLAGS },
  run: (context) => runUp(context, context.flags),
});

async function runUp(context: Pick<CliContext, 'args' | 'given'>, values: UpValues): Promise<number> {
  const session = new ComposeSession(context as CliContext);
  const { args } = context;
  const mode = upMode(values);
  const project = forOnePlatform(
    await session.load({ services: args, select: values['no-deps'] ? 'none' : 'dependencies' }),
  );
  await session.announce(project, values.yes || values.y);
  const options = upOptions(session, values, { project, isPullGiven: context.given('pull') });
  checkProject(session, project, values);
  if (session.dryRun) {
    const { printDryRun } = await import('./dry-run.ts');
    return printDryRun(session, project, options);
  }
  const images = new ImageWork(session, project, {
    quietPull: values['quiet-pull'],
    quietBuild: values['quiet-build'],
  });
  if (!mode.isDetached && !values['no-start']) {
    const { upAttached } = await import('./up-attached.ts');
    return upAttached({ session, project, values, mode, options, images, services: args });
  }
  await session.withProgress('Running', async (view) => {
    const runner = await session.runner(
      { project, name: project.name, view },
      { images: images.provider(view), confirm: session.confirm },
    );
    await (values['no-start'] ? runner.create(options) : runner.up(options));
  });
  return 0;
}

function upOptions(
  session: ComposeSession,
  values: UpValues,
  { project, isPullGiven }: { readonly project: Project; readonly isPullGiven: boolean },
): UpOptions {
  const { timeout } = values;
  const removeOrphans = values['remove-orphans'] || isTrue(project.environment['COMPOSE_REMOVE_ORPHANS']);
  const ignoreOrphans = isTrue(project.environment['COMPOSE_IGNORE_ORPHANS']);
  if (ignoreOrphans && removeOrphans) {
    throw new ExitError(1, 'cannot combine COMPOSE_IGNORE_ORPHANS and --remove-orphans');
  }
  const base = createOptions(values, { isPullGiven, project });
  return {
    ...base,
    services: session.context.args,
    // New anonymous volumes need new containers.
    ...(values['renew-anon-volumes'] ? { recreate: 'force', renewAnonVolumes: true } : {}),
    ...(values['always-recreate-deps'] ? { recreateDependencies: 'force' } : {}),
    ...(timeout === undefined ? {} : { timeout }),
    ...{ removeOrphans, ignoreOrphans, wait: values.wait, waitTimeout: values['wait-timeout'] },
    signal: session.signal,
  };
}

function checkProject(session: ComposeSession, project: Project, values: UpValues): void {
  if (!session.values['all-resources'] && Object.keys(project.services).length === 0) {
    throw new ExitError(
      1,
      'no service selected',
      'The files have no service that an active profile turns on: --profile turns one on.',
    );
  }
  const from = values['exit-code-from'];
  if (from !== '' && project.services[from] === undefined) throw noSuchService(from);
}
