import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { pruneQuery } from '../prune-query.ts';

const WARNING =
  'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';

/** `wharf network prune`. */
export const networkPrune = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")'),
  },
  args: noArguments,
  complete: ['none'],
  examples: ['wharf network prune', 'wharf network prune -f --filter until=24h'],
  run: async (context) => {
    const filters = pruneQuery(context, context.flags.filter);
    if (!context.flags.force && !(await confirm(context, WARNING))) return;
    const client = await context.client();
    const { NetworksDeleted } = await client.json<{ readonly NetworksDeleted?: readonly string[] | null }>(
      'POST',
      '/networks/prune',
      { query: { filters } },
    );
    if (!NetworksDeleted || NetworksDeleted.length === 0) return;
    context.out.write(`Deleted Networks:\n${NetworksDeleted.map((name) => `${name}\n`).join('')}\n`);
  },
});
