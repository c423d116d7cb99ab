import { WharfError } from '@wharf/kit/errors';

/** The path of a container's resource: `/containers/web/stop`. Throws what docker's client says of a blank name. */
export function containerPath(nameOrId: string, resource = ''): string {
  const name = nameOrId.trim();
  if (name === '') throw new WharfError('invalid-argument', 'invalid container name or ID: value is empty');
  return `/containers/${encodeURIComponent(name).replaceAll('%2F', '/')}${resource}`;
}
