import { CONTAINER_NUMBER, SERVICE } from '@wharf/compose/convert/labels';
import type { ContainerTopResponse } from '@wharf/wire/docker/types';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { alignTabs } from '../../term/tab-columns.ts';
import { labelOf, listContainers, nameOf } from './containers.ts';
import { ComposeSession } from './session.ts';

const COLUMNS = { leastWidth: 4, padding: 2 };

interface Process {
  readonly [title: string]: string;
}

export const top = defineCommand({
  usage: '[SERVICES...]',
  json: true,
  flags: {},
  args: anyArguments,
  complete: ['service'],
  examples: ['wharf compose top web'],
  run: async (context) => {
    const session = new ComposeSession(context);
    const project = await session.projectName();
    const client = await session.client();
    const choice = { project, services: context.args, all: false, oneOff: 'include' } as const;
    const found = await listContainers(client, choice, session.signal);
    const containers = found.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
    const lists = await Promise.all(
      containers.map(async (container): Promise<readonly Process[]> => {
        const { Titles, Processes } = await client.json<ContainerTopResponse>(
          'GET',
          `/containers/${container.Id}/top`,
          {
            signal: session.signal,
          },
        );
        const facts = {
          SERVICE: labelOf(container, SERVICE) || nameOf(container),
          '#': labelOf(container, CONTAINER_NUMBER),
        };
        return (Processes ?? []).map((values) => ({
          ...facts,
          ...Object.fromEntries(Titles.map((title, at) => [title, values[at] ?? ''])),
        }));
      }),
    );
    const processes = lists.flat();
    if (context.json) return context.out.line(JSON.stringify(processes, null, 2));
    if (processes.length > 0) context.out.write(topTable(processes));
  },
});

/** Columns in the order in which they were heard of, the command at the end: containers may have different ones. */
export function topTable(processes: readonly Process[]): string {
  const titles = [...new Set(processes.flatMap((each) => Object.keys(each)))];
  const headers = [...titles.filter((title) => title !== 'CMD'), ...titles.filter((title) => title === 'CMD')];
  const rows = processes.map((each) => headers.map((title) => each[title] ?? '-'));
  return alignTabs([headers, ...rows].map((cells) => `${cells.join('\t')}\n`).join(''), COLUMNS);
}
