import { atLeast, defineCommand } from '../../cli/command.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { type LogWish, showLog } from '../../containers/logs/show.ts';
import { containerState } from '../../containers/state.ts';

const FLAGS = {
  details: { kind: 'bool', help: 'Show extra details provided to logs' },
  follow: { kind: 'bool', short: 'f', help: 'Follow log output' },
  'no-color': { kind: 'bool', help: "No colours before the lines of several containers' logs" },
  since: {
    kind: 'string',
    default: '',
    help: 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
  },
  tail: { kind: 'string', short: 'n', default: 'all', help: 'Number of lines to show from the end of the logs' },
  timestamps: { kind: 'bool', short: 't', help: 'Show timestamps' },
  until: {
    kind: 'string',
    default: '',
    help: 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
  },
} as const satisfies FlagTable;

export const logs = defineCommand({
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  description: `Fetch the logs of a container

Of several containers at once the lines come as they are written, each behind
its container's name.`,
  flags: FLAGS,
  args: atLeast(1),
  complete: ['container'],
  examples: ['wharf logs -f --tail 20 web', 'wharf logs -f web db cache      # of all three, line by line'],
  run: async (context) => {
    const { flags, args, signal } = context;
    const client = await context.client();
    const wish: LogWish = flags;
    const states = await Promise.all([...new Set(args)].map((name) => containerState(client, name)));
    const [only] = states;
    if (args.length === 1 && only !== undefined) return showLog({ client, container: only, wish, signal });
    const { showLogs } = await import('../../containers/logs/show-many.ts');
    const isColoured = !flags['no-color'] && context.out.isTerminal;
    const { out, err } = context;
    return showLogs({ client, containers: states, wish, signal, isColoured, out, err });
  },
});
