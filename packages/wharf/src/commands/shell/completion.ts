import { defineCommand, exactly } from '../../cli/command.ts';
import { completionScript, SHELLS } from '../../cli/completion/scripts.ts';
import { ExitError } from '../../cli/errors.ts';

/** `wharf completion SHELL`: what the shell loads to complete our commands, flags and names. */
export const completion = defineCommand({
  usage: 'bash|fish|zsh',
  flags: {},
  args: exactly(1),
  complete: [SHELLS],
  examples: [
    'source <(wharf completion bash)   # in ~/.bashrc',
    'source <(wharf completion zsh)    # in ~/.zshrc, after compinit',
    'wharf completion fish | source    # in ~/.config/fish/config.fish',
  ],
  async run({ out, program, args: [asked] }) {
    const shell = SHELLS.find((each) => each === asked);
    if (shell === undefined) {
      throw new ExitError(1, `Cannot complete for "${asked}": there are ${SHELLS.join(', ')}`);
    }
    out.write(completionScript(shell, program));
  },
});
