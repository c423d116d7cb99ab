import { COMPOSE_VERSION } from '@wharf/compose/convert/labels';
import { anyArguments, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';

export const version = defineCommand({
  usage: '[OPTIONS]',
  description: 'Show which version of Docker Compose this one behaves like',
  flags: {
    format: {
      kind: 'string',
      short: 'f',
      default: '',
      help: 'Format the output. Values: [pretty | json]. (Default: pretty)',
      complete: ['pretty', 'json'],
    },
    short: { kind: 'bool', help: "Shows only Compose's version number" },
  },
  args: anyArguments,
  examples: ['wharf compose version --short'],
  run: async (context) => {
    const [word] = context.args;
    if (word !== undefined) throw new ExitError(1, `unknown command "${word}" for "${context.commandPath}"`);
    const { short, format } = context.flags;
    if (short) context.out.line(COMPOSE_VERSION);
    else if (format === 'json') context.out.line(`{"version":"${COMPOSE_VERSION}"}`);
    else context.out.line(`Docker Compose version ${COMPOSE_VERSION}`);
  },
});
