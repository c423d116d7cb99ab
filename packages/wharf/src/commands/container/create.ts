import { atLeast, defineCommand } from '../../cli/command.ts';
import { bodyFromLine, CREATE_FLAGS, createFromLine } from '../../containers/create/from-line.ts';

export const create = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  interspersed: false,
  flags: CREATE_FLAGS,
  args: atLeast(1),
  complete: ['image', 'none'],
  examples: ['wharf create --name web -p 8080:80 nginx      # start it with wharf start web'],
  run: async (context) => {
    context.out.line(await createFromLine(context, await bodyFromLine(context)));
  },
});
