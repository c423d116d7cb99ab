import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { ExitError } from '../../cli/errors.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { pruneFilters, pruneKind } from '../../prune/kinds.ts';
import { humanSize } from '../../term/units.ts';

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
  json: true,
  complete: ['none'],
  examples: ['wharf volume prune', 'wharf volume prune -a --filter label=test'],
  run: async (context) => {
    const { flags, json, out } = context;
    const { all } = flags;
    const filters = pruneFilters(flags.filter, readSettings(context.configDirectory).pruneFilters);
    if (all && filters.some((pair) => pair?.[0] === 'all')) {
      throw new ExitError(1, 'conflicting options: cannot specify both --all and --filter all=1');
    }
    if (!flags.force && !(await confirm(context, warning(all ? 'all local' : 'anonymous local')))) return;
    const wanted = all ? [...filters, ['all', 'true'] as const] : filters;
    const { report, text, bytes } = await pruneKind(await context.client(), 'volumes', { filters: wanted });
    if (json) out.line(JSON.stringify(report, null, 2));
    else out.line(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}`);
  },
});
