import { WharfError } from '@wharf/kit';
import * as messages from '@wharf/wire/docker/messages';
import type { HostConfig } from '@wharf/wire/docker/types';
import { MAX_MOUNTS } from './limits.ts';
import { checkDestination, cleanPath, parseBind, parseMount, parseVolumesFrom } from './mount-request.ts';
import type { PlannedMount, RequestedMount } from './planned-mount.ts';

/** What a container asks for, destination by destination: a new mount, or one taken over by `--volumes-from`. */
export type Wanted =
  | { readonly kind: 'new'; readonly request: RequestedMount }
  | { readonly kind: 'inherited'; readonly mount: PlannedMount };

/**
 * Brings everything that can ask for a mount into one list, one entry per destination. Later kinds win over earlier ones:
 * volumes from other containers, then binds and mounts; the image's volumes take what is left.
 * Two binds or mounts on one destination are refused (`Duplicate mount point: /x`). Apart from `mountsOf` and a look at
 * whether bind sources exist it is pure.
 */
export function collectMounts(options: {
  readonly hostConfig: HostConfig;
  readonly imageVolumes: readonly string[];
  readonly mountsOf: (container: string) => readonly PlannedMount[];
  /** Read-only binds leave the mounts below them writable, as before API 1.44. */
  readonly shallowReadOnly?: boolean | undefined;
}): readonly Wanted[] {
  const { hostConfig, imageVolumes, mountsOf } = options;
  const tmpfs = new Set(Object.keys(hostConfig.Tmpfs ?? {}).map(cleanPath));
  for (const path of Object.keys(hostConfig.Tmpfs ?? {})) checkDestination(path);
  const wanted = new Map<string, Wanted>();
  for (const spec of hostConfig.VolumesFrom ?? []) {
    const { container, readOnly } = parseVolumesFrom(spec);
    for (const mount of mountsOf(container)) {
      wanted.set(mount.point.Destination, { kind: 'inherited', mount: inherit(mount, readOnly) });
    }
  }
  const taken = new Set<string>();
  const add = (request: RequestedMount, name: string) => {
    if (taken.has(request.destination)) throw duplicate(name);
    taken.add(request.destination);
    const shallow = options.shallowReadOnly === true && request.type === 'bind' && request.readOnly;
    const bind = shallow ? { ...request.bind, ReadOnlyNonRecursive: true } : request.bind;
    wanted.set(request.destination, { kind: 'new', request: { ...request, bind } });
  };
  for (const raw of hostConfig.Binds ?? []) {
    const request = parseBind(raw, hostConfig.VolumeDriver);
    if (tmpfs.has(request.destination)) throw duplicate(request.destination);
    add(request, request.destination);
  }
  for (const mount of hostConfig.Mounts ?? []) add(parseMount(mount), mount.Target ?? '');
  for (const path of imageVolumes) {
    // `VOLUME data` in an image: Docker took it as it stands, and the runtime counted from the container's root.
    const destination = cleanPath(`/${path}`);
    checkDestination(destination);
    if (wanted.has(destination) || tmpfs.has(destination)) continue;
    wanted.set(destination, { kind: 'new', request: anonymousVolume(destination, hostConfig.VolumeDriver) });
  }
  if (wanted.size > MAX_MOUNTS) {
    throw new WharfError('resource-exhausted', `Cannot mount ${wanted.size} volumes: ${MAX_MOUNTS} is the most`);
  }
  return [...wanted.values()];
}

function inherit(mount: PlannedMount, readOnly: boolean): PlannedMount {
  return { ...mount, copyUp: false, point: { ...mount.point, RW: mount.point.RW && !readOnly } };
}

function anonymousVolume(destination: string, driver: string | undefined): RequestedMount {
  return {
    type: 'volume',
    source: '',
    destination,
    mode: '',
    readOnly: false,
    propagation: '',
    anonymous: true,
    copyUp: true,
    createSource: false,
    ...(driver ? { driver } : {}),
  };
}

function duplicate(path: string): WharfError {
  return new WharfError('invalid-argument', messages.duplicateMountPoint(path));
}
