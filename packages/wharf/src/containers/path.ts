import { objectPath } from '../cli/object-path.ts';

/** The path of a container's resource: `/containers/web/stop`. Throws what docker's client says of a blank name. */
export function containerPath(nameOrId: string, resource = ''): string {
  return objectPath('container', nameOrId, resource);
}
