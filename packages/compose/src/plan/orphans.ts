import type { Project } from '../model/project.ts';
import type { Observed, ObservedContainer } from './observed.ts';

/** Containers of the project that no service of the file has, and one-off containers that ended. */
export function orphansOf(
  project: Pick<Project, 'services' | 'disabledServices'>,
  { containers }: Pick<Observed, 'containers'>,
): readonly ObservedContainer[] {
  return containers.filter(({ oneOff, status, service }) => {
    if (oneOff) return status === 'exited' || status === 'dead';
    return !Object.hasOwn(project.services, service) && !Object.hasOwn(project.disabledServices, service);
  });
}

/** Compose's words about them. */
export function orphanWarning(orphans: readonly ObservedContainer[]): string {
  return `Found orphan containers ([${orphans.map(({ name }) => name).join(' ')}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`;
}
