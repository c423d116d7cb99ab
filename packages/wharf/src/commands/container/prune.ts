import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { pruneFilters, pruneKind } from '../../prune/kinds.ts';
import { humanSize } from '../../term/units.ts';

const QUESTION = 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?';

/** `wharf container prune`. */
export const prune = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")'),
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf container prune', 'wharf container prune -f --filter until=24h'],
  run: async (context) => {
    const { flags, json, out } = context;
    const filters = pruneFilters(flags.filter, readSettings(context.configDirectory).pruneFilters);
    if (!flags.force && !(await confirm(context, QUESTION))) return;
    const { report, text, bytes } = await pruneKind(await context.client(), 'containers', { filters });
    if (json) out.line(JSON.stringify(report, null, 2));
    else out.line(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}`);
  },
});
