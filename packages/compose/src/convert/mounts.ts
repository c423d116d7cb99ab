import { WharfError } from '@wharf/kit';
import type { Mount } from '@wharf/wire/docker/types';
import type { Project } from '../model/project.ts';
import type { Service, Mount as ServiceMount } from '../model/service.ts';
import { bytesOf } from '../model/units.ts';
import type { ObservedMount } from '../plan/observed.ts';
import { isBefore } from './versions.ts';

export interface MountFacts {
  readonly project: Project;
  readonly service: Service;
  /** Secrets and configs that are files of the host. */
  readonly files: readonly Mount[];
  /** What the replaced container had mounted; its anonymous volumes go on. */
  readonly inherited: readonly ObservedMount[];
  /** Paths the image declares as volumes. */
  readonly imageVolumes: readonly string[];
  readonly apiVersion: string;
}

/**
 * The mounts of a container: as `Binds` where that suffices, as docker compose does, for only they make a missing
 * directory; else as `Mounts`.
 */
export function mounts(facts: MountFacts): { readonly Binds: readonly string[]; readonly Mounts: readonly Mount[] } {
  const { project, service, files, apiVersion } = facts;
  const byTarget = new Map<string, Mount>();
  const taken = inherited(facts, byTarget);
  for (const mount of service.volumes ?? []) {
    if (!taken.has(mount.target ?? '')) byTarget.set(mount.target ?? '', fullMount(project, mount));
  }
  for (const file of files) if (!byTarget.has(file.Target ?? '')) byTarget.set(file.Target ?? '', file);
  const Binds: string[] = [];
  const Mounts: Mount[] = [];
  for (const mount of byTarget.values()) {
    if (mount.Type === 'image' && isBefore(apiVersion, '1.48')) {
      throw new WharfError('invalid-argument', 'volume with type=image require Docker Engine v28 or later');
    }
    const own = (service.volumes ?? []).find(({ target }) => target === mount.Target);
    const bind = own === undefined ? undefined : bindString(project, mount, own);
    if (bind === undefined) Mounts.push(mount);
    else Binds.push(bind);
  }
  return { Binds, Mounts };
}

/** Anonymous volumes of the replaced container: those its image declares, and those of the service without a name. */
function inherited(
  { service, inherited: before, imageVolumes }: MountFacts,
  byTarget: Map<string, Mount>,
): Set<string> {
  const taken = new Set<string>();
  for (const { type, name, source, target, writable } of before) {
    if (type === 'tmpfs') continue;
    const own = (service.volumes ?? []).find((mount) => mount.target === target);
    const isAnonymous = own !== undefined && (own.source ?? '') === '';
    if (!isAnonymous && !imageVolumes.includes(target)) continue;
    byTarget.set(target, {
      Type: type,
      Source: type === 'volume' ? name : source,
      Target: target,
      ReadOnly: !writable,
    });
    if (isAnonymous) taken.add(target);
  }
  return taken;
}

function bindString(project: Project, mount: Mount, own: ServiceMount): string | undefined {
  if (mount.Type === 'bind') {
    if (own.bind !== undefined && needsMount(own)) return undefined;
    return bindText(mount.Source ?? '', own);
  }
  if (mount.Type !== 'volume') return undefined;
  const isKnown = Object.values(project.volumes).some(({ name }) => name === mount.Source);
  const { labels, subpath, nocopy } = own.volume ?? {};
  const plain = Object.keys(labels ?? {}).length === 0 && !subpath && nocopy !== true;
  return isKnown && plain ? bindText(mount.Source ?? '', own) : undefined;
}

const needsMount = ({ bind = {} }: ServiceMount): boolean =>
  bind.create_host_path !== true || Boolean(bind.propagation) || Boolean(bind.recursive);

function bindText(source: string, own: ServiceMount): string {
  const options = [own.read_only === true ? 'ro' : 'rw', own.bind?.selinux, own.bind?.propagation];
  if (own.volume?.nocopy === true) options.push('nocopy');
  return `${source}:${own.target}:${options.filter(Boolean).join(',')}`;
}

function fullMount(project: Project, mount: ServiceMount): Mount {
  const { type = 'volume', source = '', target, read_only: ReadOnly, consistency: Consistency } = mount;
  const Source = type === 'volume' ? (project.volumes[source]?.name ?? source) : source;
  return {
    Type: type,
    Source: Source || undefined,
    Target: target,
    ReadOnly,
    Consistency,
    ...typeOptions(type, mount),
  };
}

function typeOptions(type: string, { bind, volume, tmpfs, image }: ServiceMount): Mount {
  switch (type) {
    case 'bind':
      if (bind === undefined) return {};
      return {
        BindOptions: {
          Propagation: bind.propagation,
          CreateMountpoint: bind.create_host_path,
          NonRecursive: bind.recursive === 'disabled' || undefined,
          ReadOnlyNonRecursive: bind.recursive === 'writable' || undefined,
          ReadOnlyForceRecursive: bind.recursive === 'readonly' || undefined,
        },
      };
    case 'volume':
      if (volume === undefined) return {};
      return { VolumeOptions: { NoCopy: volume.nocopy, Subpath: volume.subpath, Labels: volume.labels } };
    case 'tmpfs':
      return tmpfs === undefined ? {} : { TmpfsOptions: { SizeBytes: bytesOf(tmpfs.size), Mode: tmpfs.mode } };
    case 'image':
      return image === undefined ? {} : { ImageOptions: { Subpath: image.subpath } };
    default:
      return {};
  }
}
