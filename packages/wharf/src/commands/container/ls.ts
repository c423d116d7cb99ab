import { defineCommand, noArguments } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows } from '../../term/rows.ts';
import { type ContainerSummary, containerFormat, containerRows } from './container-rows.ts';

const flags = {
  quiet: { kind: 'bool', short: 'q', help: 'Only display container IDs' },
  size: { kind: 'bool', short: 's', help: 'Display total file sizes' },
  all: { kind: 'bool', short: 'a', help: 'Show all containers (default shows just running)' },
  'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  latest: { kind: 'bool', short: 'l', help: 'Show the latest created container (includes all states)' },
  last: { kind: 'int', short: 'n', default: -1, help: 'Show n last created containers (includes all states)' },
  format: { kind: 'string', help: FORMAT_HELP },
  filter: filterFlag('Filter output based on conditions provided', 'f'),
} as const satisfies FlagTable;

/** `wharf ps`, `wharf container ls`. */
export const containerLs = defineCommand({
  usage: '[OPTIONS]',
  flags,
  args: noArguments,
  json: true,
  complete: ['none'],
  examples: [
    'wharf ps',
    'wharf ps -a --filter status=exited',
    'wharf ps --format "table {{.Names}}\\t{{.Status}}"',
    'wharf ps --json                    # an array, for jq',
  ],
  run,
});

async function run(context: CliContext<typeof flags>): Promise<void> {
  const { quiet, all, last, latest, filter } = context.flags;
  const { format = '' } = context.flags;
  if (format !== '' && quiet) {
    context.err.line('WARNING: Ignoring custom format, because both --format and --quiet are set.');
  }
  const source = format === '' ? (readSettings(context.configDirectory).psFormat ?? '') : format;
  const size = await wantsSize(context, source);
  const limit = latest && last === -1 ? 1 : last;
  const client = await context.client();
  const rows = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
    query: {
      all: all || undefined,
      limit: limit > 0 ? limit : undefined,
      size: size || undefined,
      filters: filterQuery(filter),
    },
  });
  await printRows(context.out, containerRows(!context.flags['no-trunc']), {
    ...{ rows, json: context.json, format: containerFormat(source, { quiet, size }) },
    fitted: source === '' && !quiet,
  });
}

/** Sizes cost the daemon a walk: they are asked for when a flag or the template wants them. */
async function wantsSize(context: CliContext<typeof flags>, source: string): Promise<boolean> {
  const { size, quiet } = context.flags;
  if (source === '') return size;
  const { columnsUsed } = await import('../../term/row-template.ts');
  const used = columnsUsed(containerRows(true), source, {
    parsing: 'failed to parse template',
    executing: 'failed to execute template',
  });
  return size || (!quiet && !context.given('size') && used.has('Size'));
}
