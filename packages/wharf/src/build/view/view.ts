import type { StatusMessage } from '@wharf/builder/buildkit/messages';
import type { BuildModel, Change } from '../model.ts';

/** How a build ended, for the last line. */
export type Ending = 'done' | 'failed' | 'cancelled';

/** Shows a build while it goes on. */
export interface View {
  /** Told of every message, after the model has taken it. */
  update(changes: readonly Change[], message: StatusMessage): void;
  /** Shows the last of it and gives the terminal back; `result` is what came of the build, for people. */
  finish(ending: Ending, result?: string): void;
  /** Leaves the terminal to somebody else until `resume`. */
  pause?(): void;
  resume?(): void;
}

export interface ViewOptions {
  readonly model: BuildModel;
  /** Takes text for the terminal, or wherever the view goes. */
  readonly write: (text: string) => void;
  /** Says of each step why it ran. */
  readonly explain: boolean;
}
