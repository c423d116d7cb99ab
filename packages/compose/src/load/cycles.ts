import type { Project } from '../model/project.ts';
import { Problem } from './problem.ts';

/**
 * Refuses services that wait for each other. Throws a `Problem` (`dependency cycle detected: a -> b -> a`).
 */
export function checkCycles(project: Project): void {
  const done = new Set<string>();
  for (const name of Object.keys(project.services).sort()) visit(project, name, [], done);
}

function visit(project: Project, name: string, path: readonly string[], done: Set<string>): void {
  const at = path.indexOf(name);
  if (at !== -1)
    throw new Problem(`dependency cycle detected: ${[...path.slice(at), name].join(' -> ')}`, {
      keys: ['services', path.at(-1) ?? name, 'depends_on', name],
      suggestion: 'one of them has to start first: take its depends_on away',
    });
  if (done.has(name)) return;
  const below = Object.keys(project.services[name]?.depends_on ?? {}).sort();
  for (const other of below) if (Object.hasOwn(project.services, other)) visit(project, other, [...path, name], done);
  done.add(name);
}
