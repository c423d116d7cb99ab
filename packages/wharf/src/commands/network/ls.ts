import { naturalOrder } from '@wharf/kit/natural-order';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows } from '../../term/rows.ts';
import { type NetworkSummary, networkFormat, networkRows } from './network-rows.ts';

const flags = {
  quiet: { kind: 'bool', short: 'q', help: 'Only display network IDs' },
  'no-trunc': { kind: 'bool', help: 'Do not truncate the output' },
  format: { kind: 'string', help: FORMAT_HELP },
  filter: filterFlag('Provide filter values (e.g. "driver=bridge")', 'f'),
} as const satisfies FlagTable;

/** `wharf network ls`. */
export const networkLs = defineCommand({
  usage: '[OPTIONS]',
  flags,
  args: noArguments,
  json: true,
  complete: ['none'],
  examples: ['wharf network ls', 'wharf network ls -f driver=bridge --format "{{.Name}}"'],
  run: async (context) => {
    const { quiet, filter, format } = context.flags;
    const client = await context.client();
    const networks = await client.json<readonly NetworkSummary[]>('GET', '/networks', {
      query: { filters: filterQuery(filter) },
    });
    const source = format || (quiet ? '' : readSettings(context.configDirectory).networksFormat) || 'table';
    await printRows(context.out, networkRows(!context.flags['no-trunc']), {
      rows: networks.toSorted((left, right) => naturalOrder(left.Name, right.Name)),
      ...{ json: context.json, format: networkFormat(source, quiet), fitted: source === 'table' && !quiet },
    });
  },
});
