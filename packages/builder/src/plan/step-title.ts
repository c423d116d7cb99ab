import { parseHeredocWord } from '../dockerfile/heredoc.ts';
import { parseRunMount } from '../dockerfile/instructions/run-mount.ts';
import type { Instruction, RunInstruction } from '../dockerfile/instructions/types.ts';
import { type ExpandOptions, expandText } from '../dockerfile/shell-words.ts';

/** What a client shows of a secret that a command gets as a variable. */
const MASK = '****';

/** An instruction as a client is shown it: its keyword in capitals, and variables with the values they have here. */
export function stepTitle(instruction: Instruction, variables: ReadonlyMap<string, string>, token: string): string {
  const code = instruction.code.trim();
  const text =
    instruction.kind === 'run'
      ? expanded(code + heredocSummary(instruction), masked(instruction, variables), {
          ...{ escape: token, rawQuotes: true, keepUnset: true },
        })
      : expanded(code, variables, { escape: token });
  const keyword = instruction.keyword.toUpperCase() + text.slice(instruction.keyword.length);
  return instruction.trigger === true ? `ONBUILD ${keyword}` : keyword;
}

/** What cannot be expanded is shown as it is written. */
function expanded(text: string, variables: ReadonlyMap<string, string>, options: ExpandOptions): string {
  try {
    return expandText(text, variables, options);
  } catch {
    return text;
  }
}

function masked(run: RunInstruction, variables: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const names = run.mountFlags.flatMap((text) => {
    try {
      const { type, env } = parseRunMount(text, (word) => expandText(word, variables));
      return type === 'secret' && env !== undefined ? [env] : [];
    } catch {
      return [];
    }
  });
  return names.length === 0 ? variables : new Map([...variables, ...names.map((name) => [name, MASK] as const)]);
}

/** The first line of a script that is written below its RUN. */
function heredocSummary({ heredocs, words }: RunInstruction): string {
  const [first] = heredocs;
  if (first === undefined || parseHeredocWord(words[0] ?? '') === undefined) return '';
  const [line = '', ...more] = first.content.trim().split(/\r?\n/);
  return ` (${line}${more.length > 0 ? '...' : ''})`;
}
