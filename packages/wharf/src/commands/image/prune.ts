import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { pruneFilters, pruneKind } from '../../prune/kinds.ts';
import { humanSize } from '../../term/units.ts';

const DANGLING = 'WARNING! This will remove all dangling images.\nAre you sure you want to continue?';
const EVERYTHING =
  'WARNING! This will remove all images without at least one container associated to them.\nAre you sure you want to continue?';

/** `wharf image prune`. */
export const prune = defineCommand({
  usage: '[OPTIONS]',
  description: 'Remove unused images',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images, not just dangling ones' },
    filter: filterFlag('Provide filter values (e.g. "until=<timestamp>")'),
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf image prune', 'wharf image prune --all --filter until=168h'],
  run: async (context) => {
    const { flags, json, out } = context;
    const given = [...flags.filter, ['dangling', String(!flags.all)] as const];
    const filters = pruneFilters(given, readSettings(context.configDirectory).pruneFilters);
    if (!flags.force && !(await confirm(context, flags.all ? EVERYTHING : DANGLING))) return;
    const { report, text, bytes } = await pruneKind(await context.client(), 'images', { filters });
    if (json) out.line(JSON.stringify(report, null, 2));
    else out.line(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}`);
  },
});
