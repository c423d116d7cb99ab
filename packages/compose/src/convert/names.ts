import type { Service } from '../model/service.ts';

/** `app-web-1`, or the name the service asks for. */
export function containerName(
  project: string,
  service: { readonly name: string; readonly container_name?: string | undefined },
  number: number,
): string {
  return service.container_name ?? `${project}-${service.name}-${number}`;
}

/** The name a container has until the one it replaces is gone. */
export function temporaryName(replacedId: string, name: string): string {
  return `${replacedId.slice(0, 12)}_${name}`;
}

/**
 * The name of one that runs beside the one it is to replace. Not the name for a time of docker compose: it may be asked to replace the
 * same one when we were cut off.
 */
export function candidateName(replacedId: string, name: string): string {
  return `${replacedId.slice(12, 24)}_${name}`;
}

/** The image a service runs: the one it names, or the one that building it makes. */
export function imageName(project: string, name: string, service: Pick<Service, 'image'>): string {
  return service.image ?? `${project}-${name}`;
}

/** The name that is the container's own, not a link's alias. Without the slash. */
export function canonicalName(names: readonly string[], id: string): string {
  const own = names.find((name) => name.lastIndexOf('/') === 0) ?? names[0];
  return own?.replace(/^\//, '') ?? id.slice(0, 12);
}

/** As logs show it: without the project where the name is the usual one. */
export function shortName(container: { name: string; service: string; number: number }, project: string): string {
  const usual = `${project}-${container.service}-${container.number}`;
  return container.name === usual ? container.name.slice(project.length + 1) : container.name;
}
