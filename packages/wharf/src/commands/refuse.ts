import { anyArguments, type Command, defineCommand } from '../cli/command.ts';
import { ExitError } from '../cli/errors.ts';

/** A command of docker that wharf does not have, which says so whatever follows. */
export function refuse(name: string, why: string): Command {
  return defineCommand({
    usage: 'COMMAND',
    flags: {},
    args: anyArguments,
    raw: true,
    // oxlint-disable-next-line typescript/require-await -- what it throws is its answer
    async run({ program }): Promise<number> {
      throw new ExitError(
        1,
        `${program}: '${program} ${name}' is not there: ${why}\n\nRun '${program} --help' for what there is`,
      );
    },
  });
}
