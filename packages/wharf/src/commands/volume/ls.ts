import { naturalOrder } from '@wharf/kit/natural-order';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows } from '../../term/rows.ts';
import { type VolumeSummary, volumeFormat, volumeRows } from './volume-rows.ts';

const flags = {
  quiet: { kind: 'bool', short: 'q', help: 'Only display volume names' },
  format: { kind: 'string', help: FORMAT_HELP },
  filter: filterFlag('Provide filter values (e.g. "dangling=true")', 'f'),
  cluster: {
    kind: 'bool',
    hidden: true,
    help: 'Display only cluster volumes, and use cluster volume list formatting',
  },
} as const satisfies FlagTable;

const CLUSTER_TABLE = 'table {{.Name}}\\t{{.Group}}\\t{{.Driver}}\\t{{.Availability}}\\t{{.Status}}';

/** `wharf volume ls`. */
export const volumeLs = defineCommand({
  usage: '[OPTIONS]',
  flags,
  args: noArguments,
  json: true,
  complete: ['none'],
  examples: [
    'wharf volume ls',
    'wharf volume ls -q -f dangling=true',
    'wharf volume ls --format "{{.Name}}: {{.Labels}}"',
  ],
  run: async (context) => {
    const { quiet, filter, format, cluster } = context.flags;
    const client = await context.client();
    const answer = await client.json<{ readonly Volumes?: readonly VolumeSummary[] | null }>('GET', '/volumes', {
      query: { filters: filterQuery(filter) },
    });
    const volumes = (answer.Volumes ?? []).filter(({ ClusterVolume }) => !cluster || ClusterVolume);
    const own = (): string => format || (quiet ? '' : readSettings(context.configDirectory).volumesFormat) || 'table';
    const source = !cluster ? own() : quiet ? 'table' : CLUSTER_TABLE;
    await printRows(context.out, volumeRows, {
      rows: volumes.toSorted((left, right) => naturalOrder(left.Name, right.Name)),
      ...{ json: context.json, format: volumeFormat(source, quiet), fitted: source === 'table' && !quiet },
    });
  },
});
