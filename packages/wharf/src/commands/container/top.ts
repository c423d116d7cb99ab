import { atLeast, defineCommand } from '../../cli/command.ts';
import { objectPath } from '../../cli/object-path.ts';
import { alignTabs } from '../../term/tab-columns.ts';

interface ProcessList {
  readonly Titles: readonly string[];
  readonly Processes?: readonly (readonly string[])[] | null;
}

const COLUMNS = { leastWidth: 20, padding: 3 };

/** `wharf top`: the processes of a container, as ps sees them. */
export const top = defineCommand({
  usage: 'CONTAINER [ps OPTIONS]',
  flags: {},
  args: atLeast(1),
  interspersed: false,
  json: true,
  complete: ['running-container', 'none'],
  examples: ['wharf top web', 'wharf top web -o pid,rss,cmd'],
  run: async (context) => {
    const [name = '', ...options] = context.args;
    const client = await context.client();
    const { Titles, Processes } = await client.json<ProcessList>('GET', objectPath('container', name, '/top'), {
      query: { ps_args: options.length === 0 ? undefined : options.join(' ') },
    });
    const processes = Processes ?? [];
    if (context.json) {
      const rows = processes.map((cells) => Object.fromEntries(Titles.map((title, at) => [title, cells[at] ?? ''])));
      context.out.line(JSON.stringify(rows, null, 2));
      return;
    }
    const lines = [Titles, ...processes].map((cells) => `${cells.join('\t')}\n`);
    context.out.write(alignTabs(lines.join(''), COLUMNS));
  },
});
