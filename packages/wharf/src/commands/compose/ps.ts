import { SERVICE } from '@wharf/compose/convert/labels';
import { noSuchService } from '@wharf/compose/load/select';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { printRows } from '../../term/rows.ts';
import { labelOf, listContainers } from './containers.ts';
import { containerKind, formatOf, needsInspection, type PsRow, psRows } from './ps-rows.ts';
import { ComposeSession } from './session.ts';

export const ps = defineCommand({
  usage: '[OPTIONS] [SERVICE...]',
  json: true,
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show all stopped containers (including those created by the run command)' },
    filter: { kind: 'string', help: 'Filter services by a property (supported filters: status)' },
    format: {
      kind: 'string',
      default: 'table',
      help: `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.`,
    },
    'no-trunc': { kind: 'bool', help: "Don't truncate output" },
    orphans: { kind: 'bool', default: true, help: 'Include orphaned services (not declared by project)' },
    quiet: { kind: 'bool', short: 'q', help: 'Only display IDs' },
    services: { kind: 'bool', help: 'Display services' },
    status: {
      kind: 'list',
      type: 'stringArray',
      help: 'Filter services by status. Values: [paused | restarting | removing | running | dead | created | exited]',
      complete: ['paused', 'restarting', 'removing', 'running', 'dead', 'created', 'exited'],
    },
  },
  args: anyArguments,
  complete: ['service'],
  examples: [
    'wharf compose ps -a',
    "wharf compose ps --format '{{.Service}} {{.Health}}'",
    'wharf compose ps --status exited -q',
  ],
  run: async (context) => {
    const { flags, args, out } = context;
    const statuses = [...flags.status, ...filterStatus(flags.filter)];
    const session = new ComposeSession(context);
    const { project, name } = await session.projectOrName(args);
    const known = Object.keys(project?.services ?? {});
    for (const service of args) {
      if (project !== undefined && !known.includes(service)) throw noSuchService(service);
    }
    const services = args.length > 0 || flags.orphans || project === undefined ? args : known;
    const client = await session.client();
    const all = flags.all || statuses.length > 0;
    const choice = { project: name, services, all, oneOff: flags.all ? 'include' : 'exclude' } as const;
    const found = (await listContainers(client, { ...choice, oneOff: all ? 'include' : 'exclude' }, session.signal))
      .filter(({ State }) => statuses.length === 0 || statuses.includes(State))
      .toSorted(byName);
    if (flags.quiet) return out.write(found.map(({ Id }) => `${Id}\n`).join(''));
    if (flags.services) {
      return out.line([...new Set(found.map((each) => labelOf(each, SERVICE)))].join('\n'));
    }
    const format = formatOf(flags.format);
    const rows =
      context.json || needsInspection(format)
        ? await psRows(client, found, session.signal)
        : found.map((container) => ({ container, health: '', exitCode: 0 }));
    await printRows<PsRow>(out, containerKind(!flags['no-trunc']), { rows, format, json: context.json });
  },
});

function byName(left: ContainerSummary, right: ContainerSummary): number {
  return (left.Names[0] ?? '') < (right.Names[0] ?? '') ? -1 : 1;
}

/** `--filter status=…`. */
function filterStatus(filter: string | undefined): readonly string[] {
  if (filter === undefined || filter === '') return [];
  const equals = filter.indexOf('=');
  if (equals < 0) throw new ExitError(1, 'arguments to --filter should be in form KEY=VAL');
  const [key, value] = [filter.slice(0, equals), filter.slice(equals + 1)];
  if (key === 'status') return [value];
  if (key === 'source') throw new ExitError(1, 'not implemented');
  throw new ExitError(1, `unknown filter ${key}`);
}
