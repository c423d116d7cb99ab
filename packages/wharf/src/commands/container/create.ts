import { atLeast, defineCommand } from '../../cli/command.ts';
import { bodyFromLine, CREATE_FLAGS, createFromLine } from '../../containers/create/from-line.ts';
import { withHint } from '../../containers/hints.ts';

export const create = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  interspersed: false,
  flags: CREATE_FLAGS,
  args: atLeast(1),
  complete: ['image', 'none'],
  examples: ['wharf create --name web -p 8080:80 nginx      # start it with wharf start web'],
  run: async (context) => {
    const body = await bodyFromLine(context);
    const container = await createFromLine(context, body).catch((error: unknown) => {
      throw withHint(error);
    });
    context.out.line(container);
  },
});
