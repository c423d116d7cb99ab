import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { pruneFilters, pruneKind } from '../../prune/kinds.ts';
import { humanSize } from '../../term/units.ts';

const SIZES = ['keep-storage', 'max-used-space', 'min-free-space', 'reserved-space'] as const;
const NORMAL = 'WARNING! This will remove all dangling build cache. Are you sure you want to continue?';
const EVERYTHING = 'WARNING! This will remove all build cache. Are you sure you want to continue?';

/** `wharf builder prune`, with docker's flags, question and answer. */
export const prune = defineCommand({
  usage: '',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused build cache, not just dangling ones' },
    filter: filterFlag('Only what fits (e.g. "until=24h", "type=exec.cachemount")'),
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    'keep-storage': { kind: 'bytes', help: 'Amount of disk space to keep for cache' },
    'max-used-space': { kind: 'bytes', help: 'Maximum amount of disk space allowed to keep for cache' },
    'min-free-space': { kind: 'bytes', help: 'Target amount of free disk space after pruning' },
    'reserved-space': { kind: 'bytes', help: 'Amount of disk space always allowed to keep for cache' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf builder prune --filter until=24h', 'wharf builder prune --all --force'],
  run: async (context) => {
    const { flags, json, out } = context;
    const filters = pruneFilters(flags.filter, readSettings(context.configDirectory).pruneFilters);
    if (!flags.force && !(await confirm(context, flags.all ? EVERYTHING : NORMAL))) return;
    const query = {
      all: flags.all || undefined,
      ...Object.fromEntries(SIZES.map((name) => [name, flags[name]])),
    };
    const { report, text, bytes } = await pruneKind(await context.client(), 'cache', { filters, query });
    if (json) out.line(JSON.stringify(report, null, 2));
    else out.line(`${text === '' ? '' : `${text}\n`}Total reclaimed space: ${humanSize(bytes)}`);
  },
});
