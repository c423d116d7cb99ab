import { atMost, defineCommand } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import { ExitError } from '../../cli/errors.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows } from '../../term/rows.ts';
import { type ImageSummary, imageFormat, imageRows, linesOf } from './image-rows.ts';

const flags = {
  quiet: { kind: 'bool', short: 'q', help: 'Only show image IDs' },
  all: { kind: 'bool', short: 'a', help: 'Show all images (default hides intermediate images)' },
  'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  digests: { kind: 'bool', help: 'Show digests' },
  format: { kind: 'string', help: FORMAT_HELP },
  filter: filterFlag('Filter output based on conditions provided', 'f'),
  tree: { kind: 'bool', help: 'List multi-platform images as a tree (EXPERIMENTAL)' },
} as const satisfies FlagTable;

/** `wharf images`, `wharf image ls`. */
export const imageLs = defineCommand({
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  flags,
  args: atMost(1),
  json: true,
  complete: ['image'],
  examples: [
    'wharf images',
    'wharf images "app*"                       # by name',
    'wharf images -f dangling=true -q',
    'wharf images --tree                       # with the platforms of each',
  ],
  run,
});

async function run(context: CliContext<typeof flags>): Promise<void> {
  const { quiet, digests, filter, all, tree } = context.flags;
  const [name = ''] = context.args;
  const filters = filterQuery(name === '' ? filter : [...filter, ['reference', name]]);
  if (tree) {
    refuseWithTree(context);
    const { printImageTree } = await import('./tree.ts');
    await printImageTree(context, { all, filters });
    return;
  }
  const client = await context.client();
  const images = await client.json<readonly ImageSummary[]>('GET', '/images/json', {
    query: { all: all || undefined, filters },
  });
  const source = context.flags.format || (quiet ? '' : readSettings(context.configDirectory).imagesFormat) || 'table';
  const format = imageFormat(source, { quiet, digests });
  await printRows(context.out, imageRows(!context.flags['no-trunc']), {
    rows: images.flatMap((image) => linesOf(image, { digests, format })),
    ...{ json: context.json, format, fitted: source === 'table' && !quiet },
  });
  if (images.length === 0 && context.commandPath.endsWith(' images')) warnOfVerb(context, name);
}

function refuseWithTree({ flags: { quiet, digests, format, ...more } }: CliContext<typeof flags>): void {
  if (quiet) throw new ExitError(1, '--quiet is not yet supported with --tree');
  if (more['no-trunc']) throw new ExitError(1, '--no-trunc is not yet supported with --tree');
  if (digests) throw new ExitError(1, '--show-digest is not yet supported with --tree');
  if (format) throw new ExitError(1, '--format is not yet supported with --tree');
}

const VERBS = 'build history import inspect list load ls prune pull push rm save tag'.split(' ');

/** `wharf images rm` looks for images of the name `rm`, which is seldom what was meant. */
function warnOfVerb({ err, program }: CliContext<typeof flags>, name: string): void {
  if (!VERBS.includes(name)) return;
  err.line(`\nNo images found matching "${name}": did you mean "${program} image ${name}"?`);
}
