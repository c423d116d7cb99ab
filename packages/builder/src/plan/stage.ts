import type { Instruction, Stage as ParsedStage } from '../dockerfile/instructions/types.ts';
import type { LineRange } from '../dockerfile/location.ts';
import type { FromLine } from './from-line.ts';
import type { ImageDraft } from './image-draft.ts';
import type { StageNotes } from './stage-notes.ts';
import type { Base, ImageVertex } from './vertex.ts';

/** One instruction after evaluation. */
export interface PlannedStep {
  /** As written. */
  readonly text: string;
  /** As BuildKit's clients are shown it, variables expanded. */
  readonly title: string;
  readonly location: LineRange;
  /** The tree after it; the same as before for instructions that touch no file. */
  readonly result: Base;
  /** True when the instruction makes a tree of its own. */
  readonly makesTree: boolean;
  /** It is an ONBUILD of the base. */
  readonly isTrigger: boolean;
}

/** A stage on its way from text to graph. */
export interface PlannedStage extends FromLine {
  readonly parsed: ParsedStage;
  readonly index: number;
  /** The name, or `stage-N`. */
  readonly name: string;
  readonly instructions: readonly Instruction[];
}

/** A stage evaluated: its image and the vertex its tree comes from. */
export interface EvaluatedStage {
  readonly stage: PlannedStage;
  readonly tree: Base;
  readonly draft: ImageDraft;
  /** Variables of ARG and ENV at its end, for stages built on it. */
  readonly variables: ReadonlyMap<string, string>;
  readonly buildArgs: readonly (readonly [string, string])[];
  readonly steps: readonly PlannedStep[];
  /** How many steps stand one on the other at its end. */
  readonly depth: number;
  /** The image it begins with; undefined when that is another stage, or nothing. */
  readonly image: ImageVertex | undefined;
  readonly notes: StageNotes;
  /** It says where it works. */
  readonly hasWorkdir: boolean;
}
