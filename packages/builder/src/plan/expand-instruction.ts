import type { Instruction } from '../dockerfile/instructions/types.ts';
import { type ExpandOptions, expand } from '../dockerfile/shell-words.ts';

/**
 * The instruction with its variables replaced, where the builder replaces them (Dockerfile reference, "Environment
 * replacement"): RUN, CMD, ENTRYPOINT, HEALTHCHECK, SHELL and ONBUILD keep theirs, for the shell.
 * @param onUnset takes the names in a word that no variable has
 */
export function expandInstruction(
  instruction: Instruction,
  variables: ReadonlyMap<string, string>,
  escapeToken: string,
  onUnset: (names: ReadonlySet<string>) => void = () => undefined,
): Instruction {
  const expanded = (text: string, options: ExpandOptions) => {
    const { text: result, words: parts, unmatched } = expand(text, variables, options);
    if (unmatched.size > 0) onUnset(unmatched);
    return { result, parts };
  };
  const word = (text: string) => expanded(text, { escape: escapeToken }).result;
  const words = (list: readonly string[]) => list.map(word);
  switch (instruction.kind) {
    case 'add':
    case 'copy':
      return {
        ...instruction,
        chown: word(instruction.chown),
        chmod: word(instruction.chmod),
        ...(instruction.kind === 'add' ? { checksum: word(instruction.checksum) } : {}),
        sources: words(instruction.sources),
        destination: word(instruction.destination),
        inline: instruction.inline.map((file) => ({
          ...file,
          data: file.expand ? expanded(file.data, { ignoreQuotes: true }).result : file.data,
        })),
      } as Instruction;
    case 'env':
    case 'label':
      return {
        ...instruction,
        pairs: instruction.pairs.map((pair) => ({ ...pair, name: word(pair.name), value: word(pair.value) })),
      };
    case 'expose':
      // A variable may hold several ports, and one that is not set is nobody's mistake.
      return {
        ...instruction,
        ports: instruction.ports.flatMap((text) => expand(text, variables, { escape: escapeToken }).words),
      };
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
