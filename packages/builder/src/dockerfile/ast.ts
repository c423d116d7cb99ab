import type { Heredoc } from './heredoc.ts';
import type { LineRange } from './location.ts';

/** `name=value` of ENV and LABEL as written, quotes and all; `legacy` for the old `name value`. */
export interface NameValue {
  readonly name: string;
  readonly value: string;
  readonly legacy: boolean;
}

/** One instruction as the file has it, cut into its parts but not yet understood. */
export interface InstructionNode {
  /** As written. */
  readonly keyword: string;
  /** The whole logical line: continuations joined, remarks gone. */
  readonly original: string;
  /** Words that began with `--`. */
  readonly flags: readonly string[];
  readonly args: readonly string[];
  /** The arguments were a JSON array of strings: the exec form. */
  readonly json: boolean;
  /** Of ENV and LABEL. */
  readonly pairs: readonly NameValue[];
  readonly heredocs: readonly Heredoc[];
  /** The instruction inside of an ONBUILD. */
  readonly inner: InstructionNode | undefined;
  readonly location: LineRange;
  /** The remarks right above it, without their `#`. */
  readonly comments: readonly string[];
}

export interface DockerfileSyntax {
  readonly nodes: readonly InstructionNode[];
  /** `\` or a backtick. */
  readonly escape: string;
  /** The last lines of instructions that were continued over an empty line. */
  readonly emptyContinuations: readonly number[];
}
