import { WharfError } from '@wharf/kit';
import type { Project } from '../model/project.ts';
import type { Dependency } from '../model/service.ts';

/** Who needs whom, without cycles. */
export interface DependencyGraph {
  /** Services, each after all that it needs. */
  readonly order: readonly string[];
  /** What each service needs; dependencies that are not there and not required are left out. */
  readonly needs: Readonly<Record<string, Readonly<Record<string, Dependency>>>>;
  /** Who needs it. */
  readonly neededBy: Readonly<Record<string, readonly string[]>>;
}

/**
 * The services of a project by their dependencies. Throws `invalid-argument` in compose's words for cycles, and for required
 * services that are missing or disabled.
 */
export function dependencyGraph(project: Pick<Project, 'services' | 'disabledServices'>): DependencyGraph {
  const needs: Record<string, Record<string, Dependency>> = {};
  const neededBy: Record<string, string[]> = {};
  for (const name of Object.keys(project.services)) neededBy[name] = [];
  for (const [name, service] of Object.entries(project.services)) {
    const own: Record<string, Dependency> = {};
    for (const [target, dependency] of Object.entries(service.depends_on ?? {})) {
      if (project.services[target] === undefined) {
        if (!dependency.required) continue;
        throw missing(project, name, target);
      }
      own[target] = dependency;
      neededBy[target]?.push(name);
    }
    needs[name] = own;
  }
  return { order: inOrder(needs), needs, neededBy };
}

function missing(project: Pick<Project, 'disabledServices'>, name: string, target: string): WharfError {
  const disabled = project.disabledServices[target];
  if (disabled === undefined) return new WharfError('not-found', `could not find ${target}: not found`);
  return new WharfError(
    'invalid-argument',
    `service ${target} is required by ${name} but is disabled. Can be enabled by profiles [${(disabled.profiles ?? []).join(' ')}]`,
  );
}

function inOrder(needs: Readonly<Record<string, Readonly<Record<string, Dependency>>>>): readonly string[] {
  const order: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    if (path.includes(name)) {
      const cycle = [...path.slice(path.indexOf(name)), name];
      throw new WharfError('invalid-argument', `cycle found: ${cycle.join(' -> ')}`);
    }
    for (const target of Object.keys(needs[name] ?? {})) visit(target, [...path, name]);
    done.add(name);
    order.push(name);
  };
  for (const name of Object.keys(needs)) visit(name, []);
  return order;
}

/** These services and all that need one of them, directly or not. */
export function withDependents(graph: DependencyGraph, services: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const dependent of graph.neededBy[name] ?? []) visit(dependent);
  };
  for (const name of services) visit(name);
  return found;
}
