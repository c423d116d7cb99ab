import type { Project } from '../model/project.ts';
import type { Observed } from './observed.ts';

export type Recreate = 'diverged' | 'force' | 'never';

/** What a plan for `up`, `create` or `scale` is made from. */
export interface UpInput {
  readonly project: Project;
  readonly observed: Observed;
  /** Services asked for by name; empty: all. */
  readonly services?: readonly string[] | undefined;
  readonly recreate?: Recreate | undefined;
  /** For services that those asked for depend on. */
  readonly recreateDependencies?: Recreate | undefined;
  readonly scale?: Readonly<Record<string, number>> | undefined;
  readonly renewAnonVolumes?: boolean | undefined;
  readonly removeOrphans?: boolean | undefined;
  readonly ignoreOrphans?: boolean | undefined;
  /** Seconds to wait for what is stopped. */
  readonly timeout?: number | undefined;
  /** Keys of volumes that differ from the file and may be made anew: somebody agreed to lose their data. */
  readonly renewVolumes?: readonly string[] | undefined;
  /** Images that will have been pulled or built by then: whether containers differ from them is not known yet. */
  readonly pendingImages?: readonly string[] | undefined;
  /** False: nothing is started (`create`). */
  readonly start: boolean;
  /** Services that `update_config` wants replaced while they run are, and started, even though nothing else is. */
  readonly rollOut?: boolean | undefined;
  /** Waits for all to be running or healthy at the end. */
  readonly wait?: boolean | undefined;
}
