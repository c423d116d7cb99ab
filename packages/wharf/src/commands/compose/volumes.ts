import { PROJECT, SERVICE } from '@wharf/compose/convert/labels';
import { noSuchService } from '@wharf/compose/load/select';
import type { ContainerSummary, Volume, VolumeListResponse } from '@wharf/wire/docker/types';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { printRows, type RowKind } from '../../term/rows.ts';
import { labelOf, set } from './containers.ts';
import { ComposeSession } from './session.ts';

const NONE = 'N/A';

const VOLUMES: RowKind<Volume> = {
  goType: '*formatter.volumeContext',
  columns: {
    Availability: { header: 'AVAILABILITY', value: () => NONE },
    Driver: { header: 'DRIVER', value: ({ Driver }) => Driver },
    Group: { header: 'GROUP', value: () => NONE },
    Labels: { header: 'LABELS', value: ({ Labels }) => labelsText(Labels) },
    Links: { header: 'LINKS', value: ({ UsageData }) => (UsageData === undefined ? NONE : String(UsageData.RefCount)) },
    Mountpoint: { header: 'MOUNTPOINT', value: ({ Mountpoint }) => Mountpoint },
    Name: { header: 'VOLUME NAME', value: ({ Name }) => Name },
    Scope: { header: 'SCOPE', value: ({ Scope }) => Scope },
    Size: { header: 'SIZE', value: () => NONE },
    Status: { header: 'STATUS', value: () => NONE },
  },
  label: ({ Labels }, name) => Labels?.[name] ?? '',
};

export const volumes = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  json: true,
  flags: {
    format: {
      kind: 'string',
      default: 'table',
      help: `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.`,
    },
    quiet: { kind: 'bool', short: 'q', help: 'Only display volume names' },
  },
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose volumes        # of the project', 'wharf compose volumes db     # those one service has'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(context.args);
    for (const service of context.args) {
      if (project !== undefined && project.services[service] === undefined) {
        throw noSuchService(service);
      }
    }
    const client = await session.client();
    const filters = { label: set([`${PROJECT}=${name}`]) };
    const call = { query: { filters }, signal: session.signal };
    const [containers, { Volumes }] = await Promise.all([
      client.json<readonly ContainerSummary[]>('GET', '/containers/json', call),
      client.json<VolumeListResponse>('GET', '/volumes', call),
    ]);
    const used = new Set(
      containers
        .filter((each) => context.args.includes(labelOf(each, SERVICE)))
        .flatMap(({ Mounts }) => Mounts.map((mount) => mount.Name)),
    );
    const rows = (Volumes ?? []).filter(({ Name }) => context.args.length === 0 || used.has(Name));
    const { format, quiet } = context.flags;
    if (quiet) return context.out.write(rows.map(({ Name }) => `${Name}\n`).join(''));
    const shown = format === 'table' ? 'table {{.Driver}}\t{{.Name}}' : format;
    await printRows(context.out, VOLUMES, { rows, format: shown, json: context.json });
  },
});

function labelsText(labels: Volume['Labels']): string {
  return Object.entries(labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
