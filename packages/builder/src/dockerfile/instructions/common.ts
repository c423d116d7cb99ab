import type { InstructionNode } from '../ast.ts';
import { DockerfileError } from '../location.ts';
import { Flags } from './flags.ts';

/** The parts every instruction has. */
export function common(node: InstructionNode) {
  return { location: node.location, code: node.original, keyword: node.keyword, comments: node.comments };
}

/** The command line of RUN, CMD, ENTRYPOINT. */
export function commandLine(node: InstructionNode) {
  new Flags(node.keyword.toLowerCase() === 'run' ? [] : node.flags);
  // The shell gets one text, whatever blanks are in it.
  return { words: node.args, shellForm: !node.json, heredocs: node.heredocs };
}

/** Refuses an instruction without arguments. */
export function atLeastOne(node: InstructionNode, keyword: string): void {
  if (node.args.length === 0) throw new DockerfileError(`${keyword} requires at least one argument`);
}
