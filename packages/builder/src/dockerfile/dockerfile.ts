import { checkInstruction, checkStages } from '../checks/check-syntax.ts';
import type { Checks } from '../checks/checks.ts';
import { parseInstruction } from './instructions/parse.ts';
import type { Dockerfile, Instruction, Stage } from './instructions/types.ts';
import { MAX_DOCKERFILE_BYTES, MAX_STAGES } from './limits.ts';
import { DockerfileError } from './location.ts';
import { parseSyntax } from './parser.ts';

/**
 * Reads a whole Dockerfile into its stages. Nothing is evaluated. Throws a DockerfileError that names the line and, where it can,
 * what was meant; its text is the one BuildKit uses.
 * @param checks takes what could be better
 */
export function parseDockerfile(text: string, checks?: Checks): Dockerfile {
  if (text === '') throw new DockerfileError('the Dockerfile cannot be empty');
  if (text.length > MAX_DOCKERFILE_BYTES) {
    throw new DockerfileError(`the Dockerfile is larger than ${MAX_DOCKERFILE_BYTES} bytes`);
  }
  const syntax = parseSyntax(text);
  for (const line of syntax.emptyContinuations) {
    checks?.report('NoEmptyContinuation', { start: line, end: line }, 'Empty continuation line');
  }
  const globalArgs: Extract<Instruction, { readonly kind: 'arg' }>[] = [];
  const stages: { from: Stage['from']; instructions: Instruction[] }[] = [];
  for (const node of syntax.nodes) {
    if (checks !== undefined) checkInstruction(node, checks);
    const instruction = onLine(node.location.start, () => parseInstruction(node));
    const stage = stages.at(-1);
    if (stages.length === MAX_STAGES) throw new DockerfileError(`more than ${MAX_STAGES} stages`, node.location);
    if (instruction.kind === 'from') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'arg') globalArgs.push(instruction);
    else throw new DockerfileError('no build stage in current context', node.location);
  }
  if (stages.length === 0) throw new DockerfileError('dockerfile contains no stages to build');
  if (checks !== undefined) checkStages(stages, checks);
  return { escape: syntax.escape, globalArgs, stages, emptyContinuations: syntax.emptyContinuations };
}

function onLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DockerfileError)) throw error;
    throw new DockerfileError(`dockerfile parse error on line ${line}: ${error.message}`, error.location);
  }
}
