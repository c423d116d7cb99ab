import { WharfError } from '@wharf/kit';
import { bindTouchesDaemonRoot } from '@wharf/wire/docker/messages';
import type { RequestedMount } from './planned-mount.ts';

/**
 * A bind that shows the data root, or what the data root is in, must not keep a container's mounts alive on its own: it gets
 * `rslave` where nothing else is asked for. Throws `invalid-argument` for a propagation that would keep them. Pure.
 */
export function guardDaemonRoot(request: RequestedMount, dataRoot: string): RequestedMount {
  if (request.type !== 'bind' || !(isWithin(request.source, dataRoot) || isWithin(dataRoot, request.source))) {
    return request;
  }
  const asked = request.bind?.Propagation ?? '';
  if (asked === '') return { ...request, propagation: 'rslave' };
  if (asked === 'rslave' || asked === 'rshared') return request;
  throw new WharfError('invalid-argument', bindTouchesDaemonRoot(dataRoot, request.source, asked));
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}
