import { defineCommand, exactly } from '../../cli/command.ts';
import type { CliContext } from '../../cli/context.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { objectPath } from '../../cli/object-path.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { rfc3339FromUnix } from '../../term/go-time.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { ellipsis, shortId } from '../../term/short-text.ts';
import { humanSize, since } from '../../term/units.ts';
import { platformQuery } from './platform.ts';

interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

const flags = {
  human: { kind: 'bool', short: 'H', default: true, help: 'Print sizes and dates in human readable format' },
  quiet: { kind: 'bool', short: 'q', help: 'Only show image IDs' },
  'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  format: { kind: 'string', help: FORMAT_HELP },
  platform: {
    kind: 'string',
    help: 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
  },
} as const satisfies FlagTable;

/** `wharf history`. */
export const imageHistory = defineCommand({
  usage: '[OPTIONS] IMAGE',
  flags,
  args: exactly(1),
  json: true,
  complete: ['image'],
  examples: ['wharf history web', 'wharf history --no-trunc --format "{{.CreatedBy}}" web'],
  run,
});

const COMMAND_WIDTH = 45;
/** What was made before this is said to be made at no known time. */
const FIRST_KNOWN = Date.UTC(2000, 0, 1) / 1000;

async function run(context: CliContext<typeof flags>): Promise<void> {
  const { quiet, human, platform } = context.flags;
  const [image = ''] = context.args;
  const client = await context.client();
  const rows = await client.json<readonly HistoryItem[]>('GET', objectPath('image', image, '/history'), {
    query: { platform: await platformQuery(platform, 'invalid platform: ') },
  });
  const source = context.flags.format || 'table';
  await printRows(context.out, historyRows({ human, trunc: !context.flags['no-trunc'] }), {
    ...{ rows, json: context.json, format: historyFormat(source, { quiet, human }) },
    fitted: source === 'table' && !quiet,
  });
}

function historyFormat(source: string, { quiet, human }: { quiet: boolean; human: boolean }): string {
  if (source !== 'table') return source;
  if (quiet) return '{{.ID}}';
  return `table {{.ID}}\\t{{.${human ? 'CreatedSince' : 'CreatedAt'}}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}`;
}

function historyRows({ human, trunc }: { human: boolean; trunc: boolean }): RowKind<HistoryItem> {
  const createdAt = ({ Created }: HistoryItem): string => rfc3339FromUnix(Created);
  return {
    goType: '*image.historyContext',
    columns: {
      ID: { header: 'IMAGE', value: ({ Id }) => (trunc ? shortId(Id) : Id) },
      CreatedSince: {
        header: 'CREATED',
        rank: 2,
        value: (row) => {
          if (!human) return createdAt(row);
          return row.Created <= FIRST_KNOWN ? 'N/A' : since(row.Created);
        },
      },
      CreatedAt: { header: 'CREATED AT', value: createdAt },
      CreatedBy: {
        header: 'CREATED BY',
        least: 10,
        value: ({ CreatedBy }) => {
          const text = CreatedBy.replaceAll('\t', ' ');
          return trunc ? ellipsis(text, COMMAND_WIDTH) : text;
        },
      },
      Size: { header: 'SIZE', value: ({ Size }) => (human ? humanSize(Size, 3) : String(Size)) },
      Comment: { header: 'COMMENT', value: ({ Comment }) => Comment, least: 8, rank: 1 },
    },
  };
}
