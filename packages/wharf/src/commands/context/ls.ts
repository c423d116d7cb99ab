import { messageOf } from '@wharf/kit/errors';
import { naturalOrder } from '@wharf/kit/natural-order';
import { defineCommand, noArguments } from '../../cli/command.ts';
import { descriptionOf } from '../../contexts/context-store.ts';
import { FORMAT_HELP } from '../../term/format-help.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { ellipsis } from '../../term/short-text.ts';
import { currentName, overridingVariable, storeOf } from './store-of.ts';

interface Row {
  readonly name: string;
  readonly description: string;
  readonly host: string;
  readonly isCurrent: boolean;
  readonly error: string;
}

const MAX_ERROR = 45;
const TABLE = 'table {{.Name}}\\t{{.Description}}\\t{{.DockerEndpoint}}\\t{{.Error}}';

const KIND: RowKind<Row> = {
  goType: '*formatter.clientContextContext',
  columns: {
    Current: { value: ({ isCurrent }) => isCurrent },
    Name: { header: 'NAME', value: ({ name }) => name },
    Description: { header: 'DESCRIPTION', value: ({ description }) => description },
    DockerEndpoint: { header: 'DOCKER ENDPOINT', value: ({ host }) => host },
    Error: { header: 'ERROR', value: ({ error }) => ellipsis(error, MAX_ERROR) },
  },
};

/** The table marks the context in use by its name; docker's template for that would load the engine of templates. */
const MARKED: RowKind<Row> = {
  ...KIND,
  columns: {
    ...KIND.columns,
    Name: { header: 'NAME', value: ({ name, isCurrent }) => `${name}${isCurrent ? ' *' : ''}` },
  },
};

/** `wharf context ls`. */
export const ls = defineCommand({
  usage: '[OPTIONS]',
  flags: {
    format: { kind: 'string', default: '', help: FORMAT_HELP },
    quiet: { kind: 'bool', short: 'q', help: 'Only show context names' },
  },
  args: noArguments,
  json: true,
  examples: ['wharf context ls'],
  run: async (context) => {
    const { flags, out, err, json } = context;
    const store = storeOf(context);
    const current = currentName(context);
    const rows: Row[] = store.list().map((meta) => ({
      name: meta.Name,
      description: descriptionOf(meta),
      host: meta.Endpoints.docker?.Host ?? '',
      isCurrent: meta.Name === current,
      error: meta.Endpoints.docker === undefined ? 'cannot find docker endpoint in context' : '',
    }));
    if (!rows.some(({ isCurrent }) => isCurrent)) {
      const error = why(() => store.get(current));
      rows.push({ name: current, description: '', host: '', isCurrent: true, error });
      rows.sort((left, right) => naturalOrder(left.name, right.name));
    }
    const isTable = !flags.quiet && (flags.format === '' || flags.format === 'table');
    const format = flags.quiet ? '{{.Name}}' : flags.format;
    await printRows(out, isTable && !json ? MARKED : KIND, { rows, format: isTable ? TABLE : format, json });
    const variable = overridingVariable();
    if (variable === undefined) return;
    err.line(
      `Warning: ${variable} environment variable overrides the active context. To use a context, either set the global --context flag, or unset ${variable} environment variable.`,
    );
  },
});

function why(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return messageOf(error);
  }
}
