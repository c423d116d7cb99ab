import { naturalOrder } from '@wharf/kit/natural-order';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { filterFlag, filterQuery } from '../../cli/filter-flag.ts';
import type { FlagTable } from '../../cli/flags.ts';
import { readSettings } from '../../cli/settings.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { ellipsis, shortId } from '../../term/short-text.ts';

interface Plugin {
  readonly Id?: string;
  readonly Name: string;
  readonly Enabled: boolean;
  readonly PluginReference?: string;
  readonly Config?: { readonly Description?: string };
}

const DESCRIPTION_WIDTH = 45;

const flags = {
  quiet: { kind: 'bool', short: 'q', help: 'Only display plugin IDs' },
  'no-trunc': { kind: 'bool', help: "Don't truncate output" },
  format: { kind: 'string', help: FORMAT_HELP },
  filter: filterFlag('Provide filter values (e.g. "enabled=true")', 'f'),
} as const satisfies FlagTable;

/** `wharf plugin ls`. */
export const pluginLs = defineCommand({
  usage: '[OPTIONS]',
  flags,
  args: noArguments,
  json: true,
  complete: ['none'],
  examples: ['wharf plugin ls'],
  run: async (context) => {
    const { quiet, filter, format } = context.flags;
    const client = await context.client();
    const plugins = await client.json<readonly Plugin[] | null>('GET', '/plugins', {
      query: { filters: filterQuery(filter) },
    });
    const source = format || (quiet ? '' : readSettings(context.configDirectory).pluginsFormat) || 'table';
    await printRows(context.out, pluginRows(!context.flags['no-trunc']), {
      rows: (plugins ?? []).toSorted((left, right) => naturalOrder(left.Name, right.Name)),
      ...{ json: context.json, format: pluginFormat(source, quiet), fitted: source === 'table' && !quiet },
    });
  },
});

function pluginFormat(source: string, quiet: boolean): string {
  if (source === 'table') return quiet ? '{{.ID}}' : 'table {{.ID}}\\t{{.Name}}\\t{{.Description}}\\t{{.Enabled}}';
  if (source !== 'raw') return source;
  return quiet
    ? 'plugin_id: {{.ID}}'
    : 'plugin_id: {{.ID}}\\nname: {{.Name}}\\ndescription: {{.Description}}\\nenabled: {{.Enabled}}\\n';
}

function pluginRows(trunc: boolean): RowKind<Plugin> {
  return {
    goType: '*plugin.pluginContext',
    columns: {
      ID: { header: 'ID', value: ({ Id = '' }) => (trunc ? shortId(Id) : Id) },
      Name: { header: 'NAME', value: ({ Name }) => Name, least: 12 },
      Description: {
        header: 'DESCRIPTION',
        least: 12,
        value: ({ Config }) => {
          const text = (Config?.Description ?? '').replaceAll(/[\r\n]/g, '');
          return trunc ? ellipsis(text, DESCRIPTION_WIDTH) : text;
        },
      },
      Enabled: { header: 'ENABLED', value: ({ Enabled }) => Enabled },
      PluginReference: { header: 'IMAGE', value: ({ PluginReference = '' }) => PluginReference },
    },
  };
}
