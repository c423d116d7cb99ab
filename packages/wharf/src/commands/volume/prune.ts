import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { ExitError } from '../../cli/errors.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { humanSize } from '../../term/units.ts';
import { pruneQuery } from '../prune-query.ts';

const warning = (what: string): string =>
  `WARNING! This will remove ${what} volumes not used by at least one container.\nAre you sure you want to continue?`;

/** `wharf volume prune`. */
export const volumePrune = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused volumes, not just anonymous ones' },
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    filter: filterFlag('Provide filter values (e.g. "label=<label>")'),
  },
  args: noArguments,
  complete: ['none'],
  examples: ['wharf volume prune', 'wharf volume prune -a --filter label=test'],
  run: async (context) => {
    const { all, force } = context.flags;
    const filters = pruneQuery(context, context.flags.filter);
    if (all && filters?.['all'] !== undefined) {
      throw new ExitError(1, 'conflicting options: cannot specify both --all and --filter all=1');
    }
    if (!force && !(await confirm(context, warning(all ? 'all local' : 'anonymous local')))) return;
    const client = await context.client();
    const report = await client.json<{
      readonly VolumesDeleted?: readonly string[] | null;
      readonly SpaceReclaimed?: number;
    }>('POST', '/volumes/prune', { query: { filters: all ? { ...filters, all: { true: true } } : filters } });
    const deleted = report.VolumesDeleted ?? [];
    if (deleted.length > 0) {
      context.out.write(`Deleted Volumes:\n${deleted.map((name) => `${name}\n`).join('')}\n`);
    }
    const bytes = deleted.length > 0 ? (report.SpaceReclaimed ?? 0) : 0;
    context.out.line(`Total reclaimed space: ${humanSize(bytes)}`);
  },
});
