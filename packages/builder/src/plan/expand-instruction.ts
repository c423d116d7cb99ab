import type { Instruction } from '../dockerfile/instructions/types.ts';
import { expandText } from '../dockerfile/shell-words.ts';

/**
 * The instruction with its variables replaced, where the builder replaces them (Dockerfile reference, "Environment
 * replacement"): RUN, CMD, ENTRYPOINT, HEALTHCHECK, SHELL and ONBUILD keep theirs, for the shell.
 */
export function expandInstruction(
  instruction: Instruction,
  variables: ReadonlyMap<string, string>,
  escapeToken: string,
): Instruction {
  const word = (text: string) => expandText(text, variables, { escape: escapeToken });
  const words = (list: readonly string[]) => list.map(word);
  switch (instruction.kind) {
    case 'add':
    case 'copy':
      return {
        ...instruction,
        sources: words(instruction.sources),
        destination: word(instruction.destination),
        chown: word(instruction.chown),
        chmod: word(instruction.chmod),
        exclude: words(instruction.exclude),
        inline: instruction.inline.map((file) => ({
          ...file,
          data: file.expand ? expandText(file.data, variables, { ignoreQuotes: true }) : file.data,
        })),
        ...(instruction.kind === 'add' ? { checksum: word(instruction.checksum) } : {}),
      } as Instruction;
    case 'env':
    case 'label':
      return {
        ...instruction,
        pairs: instruction.pairs.map((pair) => ({ ...pair, name: word(pair.name), value: word(pair.value) })),
      };
    case 'expose':
      return { ...instruction, ports: words(instruction.ports) };
    case 'stopsignal':
      return { ...instruction, signal: word(instruction.signal) };
    case 'user':
      return { ...instruction, user: word(instruction.user) };
    case 'volume':
      return { ...instruction, paths: words(instruction.paths) };
    case 'workdir':
      return { ...instruction, path: word(instruction.path) };
    default:
      return instruction;
  }
}
