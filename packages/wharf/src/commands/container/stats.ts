import { messageOf } from '@wharf/kit/errors';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { StatsFeeds } from '../../stats/feeds.ts';
import { statsFormat, statsRows } from '../../stats/stats-rows.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { formatRows, printRows } from '../../term/rows.ts';

export const STATS_FLAGS = {
  all: { kind: 'bool', short: 'a', help: 'Show all containers (default shows just running)' },
  'no-stream': { kind: 'bool', help: 'Disable streaming stats and only pull the first result' },
  'no-trunc': { kind: 'bool', help: 'Do not truncate output' },
  format: { kind: 'string', help: FORMAT_HELP },
} as const satisfies FlagTable;

const INTERVAL_MS = 500;

/** `wharf stats`: a live table on a terminal, docker's bytes elsewhere. */
export const stats = defineCommand({
  usage: '[OPTIONS] [CONTAINER...]',
  flags: STATS_FLAGS,
  args: anyArguments,
  json: true,
  complete: ['running-container'],
  examples: [
    'wharf stats                              # all that run, with their last minute; ctrl-C ends it',
    'wharf stats web db',
    'wharf stats --no-stream --format "{{.Name}} {{.CPUPerc}} {{.MemUsage}}"',
  ],
  run: (context) => showStats(context),
});

/** Shows the containers that are named, or all, or all that have the labels. */
export async function showStats(
  context: CliContext<typeof STATS_FLAGS>,
  labels: readonly string[] = [],
): Promise<void> {
  const { all, format } = context.flags;
  const stream = !context.flags['no-stream'] && !context.json;
  const client = await context.client();
  const feeds = new StatsFeeds({ client, signal: context.signal, stream, all, labels });
  if (context.args.length > 0) await watchNamed(feeds, context.args);
  else await feeds.watchAll();
  const source = format || readSettings(context.configDirectory).statsFormat || 'table';
  const kind = statsRows(!context.flags['no-trunc']);
  const rows = () => feeds.list.map((feed) => feed.row());
  if (!stream) {
    await printRows(context.out, kind, { rows: rows(), format: statsFormat(source), json: context.json });
  } else if (context.out.isTerminal && source === 'table') await showLive(context, feeds);
  else
    await repeat(context, feeds, async () =>
      context.out.write(overwrite(await formatRows(kind, rows(), statsFormat(source)))),
    );
}

async function watchNamed(feeds: StatsFeeds, names: readonly string[]): Promise<void> {
  await feeds.watch(names);
  const errors = feeds.list.flatMap(({ error }) => (error === undefined ? [] : [messageOf(error)]));
  if (errors.length > 0) throw new ExitError(1, errors.join('\n'));
}

async function showLive(context: CliContext<typeof STATS_FLAGS>, feeds: StatsFeeds): Promise<void> {
  const [{ liveTable }, { Redraw }, { terminalSize }, { styleOf }] = await Promise.all([
    import('../../stats/live-table.ts'),
    import('../../term/redraw.ts'),
    import('../../term/size.ts'),
    import('../../term/style.ts'),
  ]);
  const style = styleOf(context.out);
  using screen = new Redraw(context.out);
  await repeat(context, feeds, () => {
    const size = terminalSize(context.out);
    if (size !== undefined) screen.draw(liveTable(feeds.list, { size, style }));
  });
}

/** Draws twice a second until ctrl-C, or until nothing is left of what was named. Throws the signal's reason. */
async function repeat(
  { signal, args }: CliContext<typeof STATS_FLAGS>,
  feeds: StatsFeeds,
  draw: () => void | Promise<void>,
): Promise<void> {
  const { setTimeout: sleep } = process.getBuiltinModule('node:timers/promises');
  for (;;) {
    await draw();
    if (args.length > 0 && feeds.list.length === 0) return;
    await sleep(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** What docker writes to draw over the last table: the text twice, the second time with what clears the rest of each line. */
function overwrite(text: string): string {
  const shown = `\u001b[H${text}`;
  return `${shown}${shown
    .split('\n')
    .map((line) => `${line} \u001b[K\n`)
    .join('')}\u001b[J`;
}
