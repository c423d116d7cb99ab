import { anyArguments, defineCommand } from '../../cli/command.ts';
import { parseVariable } from '../../containers/values/words.ts';
import { exec as containerExec } from '../container/exec.ts';
import { findContainer } from './containers.ts';
import { checkArguments } from './count.ts';
import { INDEX_FLAG } from './index-flag.ts';
import { ComposeSession } from './session.ts';

export const exec = defineCommand({
  usage: '[OPTIONS] SERVICE COMMAND [ARGS...]',
  interspersed: false,
  flags: {
    detach: { kind: 'bool', short: 'd', help: 'Detached mode: Run command in the background' },
    env: {
      kind: 'list',
      short: 'e',
      type: 'stringArray',
      parse: (text: string): string => parseVariable(text, process.env),
      help: 'Set environment variables',
    },
    ...INDEX_FLAG,
    interactive: { kind: 'bool', short: 'i', default: true, hidden: true, help: '' },
    'no-tty': {
      kind: 'bool',
      short: 'T',
      help: "Disable pseudo-TTY allocation. By default 'compose exec' allocates a TTY.",
    },
    'no-TTY': { kind: 'bool', hidden: true, help: '' },
    privileged: { kind: 'bool', help: 'Give extended privileges to the process' },
    tty: { kind: 'bool', short: 't', default: true, hidden: true, help: '' },
    user: { kind: 'string', short: 'u', help: 'Run the command as this user' },
    workdir: { kind: 'string', short: 'w', help: 'Path to workdir directory for this command' },
  },
  args: anyArguments,
  complete: ['service', 'none'],
  examples: ['wharf compose exec web sh', 'wharf compose exec -T db psql -c "select 1" < /dev/null'],
  run: async (context) => {
    const { flags, args } = context;
    checkArguments(args, { least: 2 });
    const [service = '', ...line] = args;
    const session = new ComposeSession(context);
    const container = await findContainer(
      await session.client(),
      { project: await session.projectName(), service, index: flags.index, all: false, oneOff: 'include' },
      session.signal,
    );
    const isTtyUnwanted = context.given('no-tty') || context.given('no-TTY');
    const noTty = isTtyUnwanted ? flags['no-tty'] || flags['no-TTY'] : !context.out.isTerminal;
    const { detach, env, interactive, privileged, user, workdir } = flags;
    const given = { detach, env, interactive, privileged, tty: !noTty, user: user ?? '', workdir: workdir ?? '' };
    return (await containerExec.run(context.as(containerExec.flags, given, [container.Id, ...line]))) ?? 0;
  },
});
