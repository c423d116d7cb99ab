import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { pruneFilters, pruneKind } from '../../prune/kinds.ts';

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
  json: true,
  complete: ['none'],
  examples: ['wharf network prune', 'wharf network prune -f --filter until=24h'],
  run: async (context) => {
    const { flags, json, out } = context;
    const filters = pruneFilters(flags.filter, readSettings(context.configDirectory).pruneFilters);
    if (!flags.force && !(await confirm(context, WARNING))) return;
    const { report, text } = await pruneKind(await context.client(), 'networks', { filters });
    if (json) out.line(JSON.stringify(report, null, 2));
    else if (text !== '') out.line(text);
  },
});
