import { anyArguments, type Command, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';
import { goQuote } from './containers.ts';
import { PROJECT_FLAGS } from './project-flags.ts';
import { ComposeSession } from './session.ts';
import { isTrue } from './settings.ts';
import { TIMEOUT_FLAG, timeoutOf } from './timeout-flag.ts';

const DOWN_FLAGS = {
  'remove-orphans': { kind: 'bool', help: 'Remove containers for services not defined in the Compose file' },
  rmi: {
    kind: 'string',
    default: '',
    help: 'Remove images used by services. "local" remove only images that don\'t have a custom tag ("local"|"all")',
    complete: ['local', 'all'],
  },
  ...TIMEOUT_FLAG,
  volume: { kind: 'bool', hidden: true, help: '', deprecated: 'please use --volumes' },
  volumes: {
    kind: 'bool',
    short: 'v',
    help: 'Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes attached to containers',
  },
} as const satisfies FlagTable;

const command = {
  usage: '[OPTIONS] [SERVICES]',
  description: 'Stop and remove containers, networks',
  args: anyArguments,
  complete: ['service'] as const,
  examples: ['wharf compose down         # named volumes and their data stay', 'wharf compose down -v --rmi local'],
};

/** `wharf compose down`. */
export const down: Command = defineCommand({
  ...command,
  flags: DOWN_FLAGS,
  run: (context) => runDown(context, context.flags),
});

/** `wharf down`: the same, with the flags of `compose` itself. */
export const downShort: Command = defineCommand({
  ...command,
  flags: { ...PROJECT_FLAGS, ...DOWN_FLAGS },
  run: (context) => runDown(context, context.flags),
});

async function runDown(context: Pick<CliContext, 'args'>, values: FlagValues<typeof DOWN_FLAGS>): Promise<void> {
  const { rmi } = values;
  if (rmi !== '' && rmi !== 'all' && rmi !== 'local')
    throw new ExitError(1, `invalid value for --rmi: ${goQuote(rmi)}`);
  const session = new ComposeSession(context as CliContext);
  const { project, name } = await session.projectOrName(context.args);
  await session.withProgress('Running', async (view) => {
    const runner = await session.runner({ project, name, view });
    await runner.down({
      services: context.args,
      removeOrphans: values['remove-orphans'] || isTrue(process.env['COMPOSE_REMOVE_ORPHANS']),
      volumes: values.volumes || values.volume,
      ...(rmi === '' ? {} : { images: rmi }),
      ...timeoutOf(values),
      signal: session.signal,
    });
  });
}
