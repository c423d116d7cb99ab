import { canonicalName, parseReference, withDefaultTag } from '@wharf/kit/reference';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';
import { findContainer, nameOf } from './containers.ts';
import { checkArguments } from './count.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

export const commit = defineCommand({
  usage: '[OPTIONS] SERVICE [REPOSITORY[:TAG]]',
  flags: {
    author: { kind: 'string', short: 'a', help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    change: { kind: 'list', short: 'c', help: 'Apply Dockerfile instruction to the created image' },
    ...INDEX_FLAG,
    message: { kind: 'string', short: 'm', help: 'Commit message' },
    pause: { kind: 'bool', short: 'p', default: true, help: 'Pause container during commit' },
  },
  args: anyArguments,
  complete: ['service', 'image'],
  examples: ['wharf compose commit web web:tried'],
  run: async (context) => {
    const { flags, args } = context;
    checkArguments(args, { least: 1, most: 2 });
    const [service = '', reference] = args;
    const session = new ComposeSession(context);
    const client = await session.client();
    const project = await session.projectName();
    await session.withProgress('Committing', async (view) => {
      const choice = { project, service, index: flags.index, all: false, oneOff: 'include' } as const;
      const container = await findContainer(client, choice, session.signal);
      const id = nameOf(container);
      const text = `Commit ${id}`;
      view.event({ id, text, status: 'working', statusText: 'Committing' });
      const query = {
        ...{ author: flags.author, changes: flags.change, comment: flags.message, container: container.Id },
        pause: flags.pause ? undefined : 0,
        ...imageOf(reference),
      };
      const { Id } = await client.json<{ readonly Id: string }>('POST', '/commit', { query, signal: session.signal });
      view.event({ id, text, status: 'done', statusText: `Committed as ${Id}` });
    });
  },
});

function imageOf(text: string | undefined): { readonly repo?: string; readonly tag?: string } {
  if (text === undefined || text === '') return {};
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new ExitError(1, 'refusing to create a tag with a digest reference');
  return { repo: canonicalName(reference), tag: withDefaultTag(reference).tag ?? '' };
}
