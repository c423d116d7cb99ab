import { defineCommand, noArguments } from '../../cli/command.ts';
import { confirm } from '../../cli/confirm.ts';
import { ExitError } from '../../cli/errors.ts';
import { type FilterPair, filterFlag } from '../../cli/filter-flag.ts';
import { readSettings } from '../../cli/settings.ts';
import { type PruneName, pruneFilters, pruneKind } from '../../prune/kinds.ts';
import { humanSize } from '../../term/units.ts';

/** `wharf system prune`: everything that nobody uses. */
export const prune = defineCommand({
  usage: '[OPTIONS]',
  description: 'Remove unused data',
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images not just dangling ones' },
    filter: filterFlag('Provide filter values (e.g. "label=<key>=<value>")'),
    force: { kind: 'bool', short: 'f', help: 'Do not prompt for confirmation' },
    volumes: { kind: 'bool', help: 'Prune anonymous volumes' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf system prune', 'wharf system prune --all --volumes --force', 'wharf df      # what it would free'],
  run: async (context) => {
    const { flags, out, json } = context;
    if (flags.volumes && flags.filter.some((pair) => pair?.[0] === 'until')) {
      throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    }
    const filters = pruneFilters(flags.filter, readSettings(context.configDirectory).pruneFilters);
    if (!flags.force && !(await confirm(context, question(flags, filters)))) return;
    const daemon = await context.client();
    const kinds: readonly PruneName[] = flags.volumes
      ? ['containers', 'networks', 'volumes', 'images', 'cache']
      : ['containers', 'networks', 'images', 'cache'];
    let total = 0;
    const reports: Record<string, unknown> = {};
    for (const kind of kinds) {
      const more: readonly FilterPair[] = kind === 'images' ? [['dangling', String(!flags.all)]] : [];
      const query = kind === 'cache' && flags.all ? { all: true } : {};
      const { report, text, bytes } = await pruneKind(daemon, kind, { filters: [...filters, ...more], query });
      total += bytes;
      reports[kind] = report;
      if (text !== '' && !json) out.line(text);
    }
    if (json) out.line(JSON.stringify({ ...reports, SpaceReclaimed: total }, null, 2));
    else out.line(`Total reclaimed space: ${humanSize(total)}`);
  },
});

function question(
  { all, volumes }: { readonly all: boolean; readonly volumes: boolean },
  filters: readonly FilterPair[],
): string {
  const lines = [
    'WARNING! This will remove:',
    '  - all stopped containers',
    '  - all networks not used by at least one container',
    ...(volumes ? ['  - all anonymous volumes not used by at least one container'] : []),
    all ? '  - all images without at least one container associated to them' : '  - all dangling images',
    all ? '  - all build cache' : '  - unused build cache',
    '',
  ];
  const shown = filters
    .flatMap((pair) => (pair !== undefined && ['label', 'label!', 'until'].includes(pair[0]) ? [pair.join('=')] : []))
    .toSorted();
  if (shown.length > 0) {
    lines.push('  Items to be pruned will be filtered with:', ...shown.map((each) => `  - ${each}`), '');
  }
  return [...lines, 'Are you sure you want to continue?'].join('\n');
}
