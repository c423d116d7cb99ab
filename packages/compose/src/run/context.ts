import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { HostFiles } from '../convert/host.ts';
import type { Project } from '../model/project.ts';
import type { Observed } from '../plan/observed.ts';
import type { ContainerRef } from '../plan/steps.ts';
import type { Progress } from './progress.ts';
import type { RunnerOptions, StartedContainer } from './runner.ts';
import type { StateWatch } from './state-watch.ts';

/** What executing a plan's steps works with; one for each plan. */
export interface RunContext {
  readonly client: DockerClient;
  readonly project: Project;
  readonly observed: Observed;
  readonly options: RunnerOptions;
  readonly progress: Progress;
  readonly warn: (message: string) => void;
  readonly host: HostFiles;
  readonly watch: StateWatch;
  readonly beforeStart?: ((container: StartedContainer) => Promise<void>) | undefined;
  /** Ids of containers that steps created, by key. */
  readonly created: Map<string, string>;
  /** Keys of containers whose replacement was given up: what is planned for them is left out. */
  readonly abandoned: Set<string>;
  /** Replacements of a service whose old container is still there, oldest first: what a rollback takes back. */
  readonly replaced: Map<string, Replaced[]>;
}

export interface Replaced {
  readonly old: ContainerRef;
  readonly now: ContainerRef;
  readonly movedPorts: boolean;
}

/** The container's id. Throws when the step that creates it has not run: a mistake of the planner. */
export function idOf(context: Pick<RunContext, 'created'>, ref: ContainerRef): string {
  const id = ref.id ?? context.created.get(ref.key);
  if (id === undefined) throw new Error(`container ${ref.name} is not created yet`);
  return id;
}
