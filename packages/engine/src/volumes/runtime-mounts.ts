import type { HostConfig } from '@wharf/wire/docker/types';
import { DEFAULT_PROPAGATION } from './mount-mode.ts';
import { cleanPath } from './mount-request.ts';
import type { PlannedMount } from './planned-mount.ts';
import { tmpfsMountOptions, tmpfsNotation } from './tmpfs-options.ts';
import type { RuntimeMount } from './volume-service.ts';

/** A planned mount with the host path that is to be seen in the container. */
export interface SourcedMount {
  readonly mount: PlannedMount;
  readonly source: string;
  /** The source is a file of any kind but a directory. */
  readonly isFile?: boolean | undefined;
  /** What the mount that the source is in forbids. */
  readonly restrictions?: readonly string[] | undefined;
}

/**
 * The runtime's mounts of one container: planned ones and `HostConfig.Tmpfs`, parents before children. Pure.
 * A tmpfs of `HostConfig.Tmpfs` takes the place of a volume that the image has at the same destination.
 */
export function toRuntimeMounts(mounts: readonly SourcedMount[], hostConfig: HostConfig): readonly RuntimeMount[] {
  const byDestination = new Map<string, RuntimeMount>();
  for (const sourced of mounts) byDestination.set(sourced.mount.point.Destination, toRuntimeMount(sourced));
  for (const [path, options] of Object.entries(hostConfig.Tmpfs ?? {})) {
    const destination = cleanPath(path);
    byDestination.set(destination, {
      destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: tmpfsMountOptions(options),
    });
  }
  const depth = ({ destination }: RuntimeMount) => destination.split('/').length;
  return [...byDestination.values()].sort((a, b) => depth(a) - depth(b));
}

function toRuntimeMount({ mount, source, isFile, restrictions = [] }: SourcedMount): RuntimeMount {
  const { point, bind, tmpfs } = mount;
  const destination = point.Destination;
  if (point.Type === 'tmpfs') {
    const options = tmpfsMountOptions(tmpfsNotation(tmpfs, !point.RW));
    return { destination, type: 'tmpfs', source: 'tmpfs', options };
  }
  const options = [bind?.NonRecursive === true ? 'bind' : 'rbind'];
  // "rro" reaches mounts below the source too, as Docker has it since 25. Below a file there are none, and crun would open
  // it as a directory.
  if (!point.RW) options.push(bind?.ReadOnlyNonRecursive === true || isFile === true ? 'ro' : 'rro');
  // crun sets a bind mount's flags anew where runc lets them be: what the source's mount forbids has to be said again.
  options.push(...restrictions.filter((word) => point.RW || word !== 'ro'));
  options.push(propagationFor(point.Propagation, bind?.NonRecursive === true));
  return { destination, type: 'bind', source, options };
}

/** crun takes the "r" of a propagation for one of the bind. Of a mount alone they mean the same. */
function propagationFor(asked: string, alone: boolean): string {
  const propagation = asked || DEFAULT_PROPAGATION;
  return alone ? propagation.replace(/^r(?=private|slave|shared)/, '') : propagation;
}
