import { anyArguments, type Command, defineCommand } from '../../cli/command.ts';
import { ExitError } from '../../cli/errors.ts';

/** A command of docker compose that is not there: it says so whatever follows, and what to do instead. */
export function refused(name: string, why: string, instead: string): Command {
  return defineCommand({
    usage: '[ARG...]',
    flags: {},
    args: anyArguments,
    raw: true,
    run: ({ program }) =>
      Promise.reject<number>(new ExitError(1, `${program} compose ${name} is not there: ${why}`, instead)),
  });
}
