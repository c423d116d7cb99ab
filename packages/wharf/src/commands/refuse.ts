import { anyArguments, type Command, defineCommand } from '../cli/command.ts';
import { ExitError } from '../cli/errors.ts';

/** A command of docker that wharf does not have, which says so whatever follows. */
export function refuse(name: string, why: string): Command {
  return defineCommand({
    usage: 'COMMAND',
    flags: {},
    args: anyArguments,
    raw: true,
    run: ({ program }) =>
      Promise.reject(
        new ExitError(
          1,
          `${program}: '${program} ${name}' is not there: ${why}\n\nRun '${program} --help' for what there is`,
        ),
      ),
  });
}
