import { WharfError } from '@wharf/kit/errors';

type Kind = 'container' | 'image' | 'network' | 'volume' | 'plugin';

/** The path of an object of the daemon: `/networks/front`. Throws what docker's client says of a blank name. */
export function objectPath(kind: Kind, nameOrId: string, resource = ''): string {
  const name = nameOrId.trim();
  if (name === '') {
    if (kind === 'image') throw new WharfError('not-found', `Error: No such image: ${nameOrId}`);
    throw new WharfError('invalid-argument', `invalid ${kind} name or ID: value is empty`);
  }
  return `/${kind}s/${encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@')}${resource}`;
}
