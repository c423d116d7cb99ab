import { type Heredoc, parseHeredocWord, withoutLeadingTabs } from '../dockerfile/heredoc.ts';
import { parseRunMount } from '../dockerfile/instructions/run-mount.ts';
import type { CommandLine, RunInstruction } from '../dockerfile/instructions/types.ts';
import { DockerfileError } from '../dockerfile/location.ts';
import type { InlineVertex, StepMount } from './vertex.ts';

/** Where a RUN finds an inline script that has an interpreter of its own. */
const SCRIPT_DIR = '/dev/pipes/';
const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** What a RUN executes, and the script mounted for it when its heredoc begins with `#!`. */
export interface RunCommand {
  readonly args: readonly string[];
  readonly script: InlineVertex | undefined;
}

/** The command of a RUN with its heredocs put in (Dockerfile reference, "Here-Documents"). */
export function runCommand(run: RunInstruction, shell: readonly string[] | null | undefined): RunCommand {
  const { heredocs } = run;
  const [first] = heredocs;
  if (first === undefined) return { args: withShell(run, run.words, shell), script: undefined };
  const [text] = run.words;
  if (text === undefined || run.words.length !== 1 || !run.shellForm) {
    throw new DockerfileError(`parsing produced an invalid run command: ${run.words.join(' ')}`);
  }
  if (parseHeredocWord(text) === undefined) {
    // The shell knows heredocs: it gets the text as it was.
    return { args: withShell(run, [text + bodies(heredocs)], shell), script: undefined };
  }
  const data = first.chomp ? withoutLeadingTabs(first.content) : first.content;
  if (!data.startsWith('#!')) return { args: withShell(run, [data], shell), script: undefined };
  const files = [{ name: first.name, data, mode: 0o755 }];
  const script: InlineVertex = { kind: 'inline', files, name: '[internal] preparing inline document' };
  return { args: withShell(run, [`${SCRIPT_DIR}${first.name}`], shell), script };
}

/** The command line as the runtime gets it: in shell form the stage's shell before it. */
export function withShell(
  line: Pick<CommandLine, 'shellForm'>,
  words: readonly string[],
  shell: readonly string[] | null | undefined,
): readonly string[] {
  if (!line.shellForm) return words;
  return [...(shell && shell.length > 0 ? shell : DEFAULT_SHELL), words.join(' ')];
}

/** The mount that shows a RUN its inline script. */
export function scriptMount(script: InlineVertex): StepMount {
  return { ...parseRunMount(`type=bind,target=${SCRIPT_DIR}`, (word) => word), sourceVertex: script };
}

function bodies(heredocs: readonly Heredoc[]): string {
  return heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
}

/** `|2 A=1 B=2 /bin/sh -c …`, the way history shows which arguments a RUN saw. */
export function runHistory(
  args: readonly string[],
  buildArgs: readonly (readonly [string, string])[],
  variables: ReadonlyMap<string, string>,
): string {
  const seen = new Map<string, string>();
  for (const [name, value] of buildArgs) seen.set(name, variables.get(name) ?? value);
  const shown = [...seen].map(([name, value]) => `${name}=${value}`);
  return ['RUN', ...(shown.length > 0 ? [`|${shown.length}`, ...shown] : []), ...args, '# buildkit'].join(' ');
}

/** `|2 A=1 B=2 /bin/sh -c …`, as Docker's classic builder shows it: arguments that have a value and are no variables of the image, by name. */
export function classicRunHistory(
  args: readonly string[],
  buildArgs: readonly (readonly [string, string])[],
  { variables, env }: { readonly variables: ReadonlyMap<string, string>; readonly env: ReadonlyMap<string, string> },
): string {
  const names = new Set(buildArgs.map(([name]) => name).filter((name) => variables.has(name) && !env.has(name)));
  const shown = [...names].map((name) => `${name}=${variables.get(name)}`).toSorted();
  return [...(shown.length > 0 ? [`|${shown.length}`, ...shown] : []), ...args].join(' ');
}
