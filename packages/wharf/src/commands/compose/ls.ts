import { CONFIG_FILES, CONFIG_HASH, PROJECT } from '@wharf/compose/convert/labels';
import type { ContainerSummary } from '@wharf/wire/docker/types';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { type FilterPair, filterFlag } from '../../cli/filter-flag.ts';
import { labelOf, set } from './containers.ts';
import { printSection } from './sections.ts';
import { ComposeSession } from './session.ts';

interface Stack {
  readonly Name: string;
  readonly Status: string;
  readonly ConfigFiles: string;
}

export const ls = defineCommand({
  usage: '[OPTIONS]',
  json: true,
  flags: {
    all: { kind: 'bool', short: 'a', help: 'Show all stopped Compose projects' },
    filter: filterFlag('Filter output based on conditions provided'),
    format: {
      kind: 'string',
      default: 'table',
      help: 'Format the output. Values: [table | json]',
      complete: ['table', 'json'],
    },
    quiet: { kind: 'bool', short: 'q', help: 'Only display project names' },
  },
  args: anyArguments,
  examples: ['wharf compose ls -a'],
  run: async (context) => {
    const [word] = context.args;
    if (word !== undefined) throw new ExitError(1, `unknown command "${word}" for "${context.commandPath}"`);
    const { all, filter, format, quiet } = context.flags;
    const names = filter.flatMap(nameFilter);
    const session = new ComposeSession(context);
    const client = await session.client();
    const containers = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
      query: { ...(all ? { all: 1 } : {}), filters: { label: set([PROJECT, CONFIG_HASH]) } },
      signal: session.signal,
    });
    const stacks = stacksOf(containers, session.warn).filter(
      ({ Name }) => names.length === 0 || names.some((name) => matches(name, Name)),
    );
    if (quiet) return context.out.write(stacks.map(({ Name }) => `${Name}\n`).join(''));
    const rows = stacks.map(({ Name, Status, ConfigFiles }) => [Name, Status, ConfigFiles]);
    const headers = ['NAME', 'STATUS', 'CONFIG FILES'];
    printSection(context.out, context.json ? 'json' : format, { headers, rows, json: stacks });
  },
});

function nameFilter(pair: FilterPair): readonly string[] {
  if (pair === undefined) return [];
  const [key, value] = pair;
  if (key !== 'name') throw new ExitError(1, `invalid filter '${key}'`, 'There is name.');
  return [value];
}

/** The same name, or one that the filter matches as a regular expression. */
function matches(filter: string, name: string): boolean {
  if (filter === name) return true;
  try {
    return new RegExp(filter).test(name);
  } catch {
    // No regular expression: it was a name then.
    return false;
  }
}

function stacksOf(containers: readonly ContainerSummary[], warn: (message: string) => void): readonly Stack[] {
  const projects = Map.groupBy(containers, (each) => labelOf(each, PROJECT));
  return [...projects]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([Name, members]) => ({ Name, Status: statusOf(members), ConfigFiles: filesOf(members, warn) }));
}

/** `exited(1), running(2)`. */
function statusOf(containers: readonly ContainerSummary[]): string {
  const counts = Map.groupBy(containers, ({ State }) => State);
  return [...counts]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([state, members]) => `${state}(${members.length})`)
    .join(', ');
}

function filesOf(containers: readonly ContainerSummary[], warn: (message: string) => void): string {
  const files = new Set<string>();
  for (const container of containers) {
    const text = container.Labels?.[CONFIG_FILES];
    if (text === undefined) {
      warn(
        `no label ${JSON.stringify(CONFIG_FILES)} set on container ${JSON.stringify(container.Id)} of compose project`,
      );
      return 'N/A';
    }
    for (const file of text.split(',')) files.add(file);
  }
  return [...files].join(',');
}
