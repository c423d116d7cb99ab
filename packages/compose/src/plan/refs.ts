import type { ObservedContainer } from './observed.ts';
import type { ContainerRef } from './steps.ts';

/** A reference to a container that is there. */
export function refTo(container: ObservedContainer, name = container.name): ContainerRef {
  return { id: container.id, key: container.id, name, service: container.service };
}

/** A reference to a container that the plan creates. */
export function newRef(service: string, name: string): ContainerRef {
  return { key: `new ${name}`, name, service };
}
