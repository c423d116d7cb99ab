import { messageOf } from '@wharf/kit/errors';
import { atLeast, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { hintFor } from '../../containers/hints.ts';
import { containerPath } from '../../containers/path.ts';
import { startAttached } from '../../containers/start-attached.ts';
import { containerState } from '../../containers/state.ts';
import { forwardSignals } from '../../containers/streams/forward-signals.ts';

const FLAGS = {
  attach: { kind: 'bool', short: 'a', help: 'Attach STDOUT/STDERR and forward signals' },
  checkpoint: { kind: 'string', hidden: true, help: 'Restore from this checkpoint' },
  'checkpoint-dir': { kind: 'string', hidden: true, help: 'Use a custom checkpoint storage directory' },
  'detach-keys': { kind: 'string', help: 'Override the key sequence for detaching a container' },
  interactive: { kind: 'bool', short: 'i', help: "Attach container's STDIN" },
} as const satisfies FlagTable;

type StartContext = CliContext<typeof FLAGS>;

export const start = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  flags: FLAGS,
  args: atLeast(1),
  complete: ['stopped-container'],
  examples: ['wharf start web db', 'wharf start -ai shell      # with this terminal'],
  run: async (context) => {
    const { attach, interactive } = context.flags;
    return attach || interactive ? startOne(context) : startMany(context);
  },
});

async function startMany(context: StartContext): Promise<number> {
  const { args, out, err, flags } = context;
  if (flags.checkpoint && args.length > 1) throw new ExitError(1, 'you cannot restore multiple containers at once');
  const client = await context.client();
  const failed: string[] = [];
  for (const name of args) {
    try {
      await client.text('POST', containerPath(name, '/start'), { query: checkpointQuery(flags) });
      if (!flags.checkpoint) out.line(name);
    } catch (error) {
      if (flags.checkpoint) throw error;
      const hint = context.program === 'docker' ? undefined : hintFor(messageOf(error));
      err.line(hint === undefined ? messageOf(error) : `${messageOf(error)}\n${hint}`);
      failed.push(name);
    }
  }
  if (failed.length > 0) throw new ExitError(1, `Error: failed to start containers: ${failed.join(', ')}`);
  return 0;
}

async function startOne(context: StartContext): Promise<number> {
  const { args, flags, out, err } = context;
  if (args.length > 1) throw new ExitError(1, 'you cannot start and attach multiple containers at once');
  const client = await context.client();
  const { id: container, tty, openStdin, autoRemove } = await containerState(client, args[0] ?? '');
  using _signals = tty ? undefined : forwardSignals(client, container);
  const detachKeys = flags['detach-keys'] || readSettings(context.configDirectory).detachKeys || '';
  const streams = { stdin: flags.interactive && openStdin, stdout: true, stderr: true };
  const start = () => client.text('POST', containerPath(container, '/start'), { query: checkpointQuery(flags) });
  const forwards = !tty;
  return await startAttached({ client, container, streams, tty, detachKeys, autoRemove, forwards, out, err, start });
}

function checkpointQuery(flags: StartContext['flags']) {
  return { checkpoint: flags.checkpoint || undefined, 'checkpoint-dir': flags['checkpoint-dir'] || undefined };
}
