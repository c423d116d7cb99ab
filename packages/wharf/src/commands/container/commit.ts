import { canonicalName, parseReference, withDefaultTag } from '@wharf/kit/reference';
import { between, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';

export const commit = defineCommand({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  interspersed: false,
  flags: {
    author: { kind: 'string', short: 'a', help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    change: { kind: 'list', short: 'c', help: 'Apply Dockerfile instruction to the created image' },
    message: { kind: 'string', short: 'm', help: 'Commit message' },
    pause: { kind: 'bool', short: 'p', default: true, help: 'Pause container during commit' },
  },
  args: between(1, 2),
  complete: ['container', 'image'],
  examples: ['wharf commit web web:tried', 'wharf commit -c \'CMD ["nginx"]\' web web:tried'],
  run: async (context) => {
    const { author, change, message, pause } = context.flags;
    const [container = '', reference] = context.args;
    const daemon = await context.client();
    const query = {
      author: author || undefined,
      changes: change,
      comment: message || undefined,
      container,
      pause: pause ? undefined : 0,
      ...nameOf(reference),
    };
    const { Id } = await daemon.json<{ readonly Id: string }>('POST', '/commit', { query });
    context.out.line(Id);
  },
});

function nameOf(text: string | undefined): { readonly repo?: string; readonly tag?: string } {
  if (text === undefined || text === '') return {};
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new ExitError(1, 'refusing to create a tag with a digest reference');
  return { repo: canonicalName(reference), tag: withDefaultTag(reference).tag ?? '' };
}
