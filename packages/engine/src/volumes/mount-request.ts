import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import * as messages from '@wharf/wire/docker/messages';
import type { IDMapping, Mount } from '@wharf/wire/docker/types';
import { checkIdMapping } from './id-mapping.ts';
import {
  DEFAULT_PROPAGATION,
  isIdMappedMode,
  isMountMode,
  isNoCopyMode,
  isPropagation,
  isReadOnlyMode,
  propagationOf,
} from './mount-mode.ts';
import type { RequestedMount } from './planned-mount.ts';
import { tmpfsMountOptions, tmpfsNotation } from './tmpfs-options.ts';

const bad = (message: string) => new WharfError('invalid-argument', message);

/** `path.Clean` of Go: like Node's normalize, without a trailing slash. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

/** Throws `invalid-argument` when a mount may not have that destination: `/`, or a relative path. */
export function checkDestination(path: string): void {
  if (cleanPath(path) === '/') throw bad(messages.MOUNT_TARGET_IS_ROOT);
  if (!path.startsWith('/') || path.includes('\0')) throw bad(messages.mountPathNotAbsolute(path));
}

/**
 * Parses one `-v` specification (`/dst`, `src:/dst`, `src:/dst:ro,z`). A source with a leading slash is a bind, any other a
 * volume's name. Throws `invalid-argument` in Docker's words.
 */
export function parseBind(raw: string, volumeDriver: string | undefined): RequestedMount {
  const parts = raw.split(':');
  const [first = '', second = '', mode = ''] = parts;
  if (first === '' || parts.length > 3 || (parts.length === 2 && isMountMode(second))) {
    throw bad(messages.invalidVolumeSpec(raw));
  }
  if (!isMountMode(mode)) throw bad(messages.invalidMountMode(mode));
  const source = parts.length === 1 ? '' : first;
  const propagation = propagationOf(mode);
  const isBind = source.startsWith('/');
  const IDMapping = isIdMappedMode(mode) ? { Source: 'match-user' } : undefined;
  const noCopy = isNoCopyMode(mode);
  const volumeOptions = noCopy || (IDMapping && !isBind) ? { VolumeOptions: { NoCopy: noCopy, IDMapping } } : {};
  const bindOptions =
    propagation !== undefined || (IDMapping && isBind)
      ? { BindOptions: { ...(propagation === undefined ? {} : { Propagation: propagation }), IDMapping } }
      : {};
  const mount: Mount = {
    Type: isBind ? 'bind' : 'volume',
    Source: source,
    Target: parts.length === 1 ? first : second,
    ReadOnly: isReadOnlyMode(mode),
    ...volumeOptions,
    ...bindOptions,
  };
  try {
    const request = parseMount(mount, { sourceMayBeMissing: true });
    const driver = isBind || volumeDriver === '' ? undefined : volumeDriver;
    return {
      ...request,
      mode: mode || request.mode,
      createSource: isBind,
      ...(driver === undefined ? {} : { driver }),
    };
  } catch (error) {
    if (!isKind(error, 'invalid-argument')) throw error;
    throw new WharfError('invalid-argument', `${messages.invalidVolumeSpec(raw)}: ${error.message}`, { cause: error });
  }
}

/** Parses one `--mount`. Throws `invalid-argument`; `not-implemented` for cluster and named pipe mounts. */
export function parseMount(mount: Mount, options: { readonly sourceMayBeMissing?: boolean } = {}): RequestedMount {
  const type = mount.Type ?? '';
  try {
    return readMount(mount, options.sourceMayBeMissing ?? false);
  } catch (error) {
    if (!isKind(error, 'invalid-argument')) throw error;
    throw new WharfError('invalid-argument', messages.invalidMountConfig(type, messageOf(error)), { cause: error });
  }
}

function readMount(mount: Mount, sourceMayBeMissing: boolean): RequestedMount {
  checkExclusive(mount);
  const target = mount.Target ?? '';
  if (target === '') throw bad('field Target must not be empty');
  checkDestination(target);
  const common = {
    source: mount.Source ?? '',
    destination: cleanPath(target),
    mode: '',
    readOnly: mount.ReadOnly === true,
    propagation: '',
    anonymous: false,
    copyUp: false,
    createSource: false,
  };
  switch (mount.Type) {
    case 'bind':
      return { ...common, ...readBind(mount, sourceMayBeMissing), type: 'bind' };
    case 'volume':
      return { ...common, ...readVolume(mount), type: 'volume' };
    case 'tmpfs': {
      if (common.source !== '') throw bad('field Source must not be specified');
      tmpfsMountOptions(tmpfsNotation(mount.TmpfsOptions, common.readOnly));
      return { ...common, type: 'tmpfs', tmpfs: mount.TmpfsOptions ?? undefined };
    }
    case 'image': {
      if (common.source === '') throw bad('field Source must not be empty');
      const subpath = readSubpath(mount.ImageOptions?.Subpath);
      return { ...common, ...subpath, type: 'image', readOnly: true, propagation: DEFAULT_PROPAGATION };
    }
    case 'cluster':
    case 'npipe':
      throw new WharfError(
        'not-implemented',
        `Cannot mount "${target}": mounts of type "${mount.Type}" are not supported`,
      );
    default:
      throw bad('mount type unknown');
  }
}

function checkExclusive(mount: Mount): void {
  const fields = [
    ['bind', 'BindOptions', mount.BindOptions],
    ['volume', 'VolumeOptions', mount.VolumeOptions],
    ['image', 'ImageOptions', mount.ImageOptions],
    ['tmpfs', 'TmpfsOptions', mount.TmpfsOptions],
  ] as const;
  for (const [type, name, value] of fields) {
    if (mount.Type !== type && value !== undefined && value !== null) throw bad(`field ${name} must not be specified`);
  }
}

function readBind(
  mount: Mount,
  sourceMayBeMissing: boolean,
): Pick<RequestedMount, 'source' | 'propagation' | 'bind' | 'createSource' | 'idMapping'> {
  const source = mount.Source ?? '';
  if (source === '') throw bad('field Source must not be empty');
  const bind = mount.BindOptions ?? undefined;
  const propagation = bind?.Propagation ?? '';
  if (propagation !== '' && !isPropagation(propagation)) throw bad(`invalid propagation mode: ${propagation}`);
  if (!source.startsWith('/') || source.includes('\0')) throw bad(messages.mountPathNotAbsolute(source));
  const createSource = bind?.CreateMountpoint === true;
  if (!sourceMayBeMissing && !createSource && !existsSync(source)) throw bad(messages.bindSourceMissing(source));
  checkReadOnlyOptions(mount);
  return {
    source: cleanPath(source),
    propagation: propagation || DEFAULT_PROPAGATION,
    bind,
    createSource,
    ...readIdMapping(bind?.IDMapping),
  };
}

function readIdMapping(mapping: IDMapping | null | undefined): Pick<RequestedMount, 'idMapping'> {
  checkIdMapping(mapping);
  return mapping?.Source ? { idMapping: mapping } : {};
}

function checkReadOnlyOptions({ ReadOnly, BindOptions }: Mount): void {
  const nonRecursive = BindOptions?.ReadOnlyNonRecursive === true;
  const forced = BindOptions?.ReadOnlyForceRecursive === true;
  if (ReadOnly !== true && nonRecursive)
    throw bad('mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive');
  if (ReadOnly !== true && forced) throw bad('mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive');
  if (nonRecursive && forced)
    throw bad('mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive');
}

function readVolume(mount: Mount): Partial<RequestedMount> {
  const volume = mount.VolumeOptions ?? undefined;
  const anonymous = (mount.Source ?? '') === '';
  if (anonymous && volume?.Subpath) throw bad('must not set Subpath when using anonymous volumes');
  const driver = volume?.DriverConfig?.Name ?? '';
  return {
    anonymous,
    // Docker's word for "shared label" stands where a local volume has no mode of its own.
    mode: 'z',
    copyUp: volume?.NoCopy !== true,
    ...readSubpath(volume?.Subpath),
    ...readIdMapping(volume?.IDMapping),
    ...(driver === '' ? {} : { driver }),
    ...(volume?.DriverConfig?.Options ? { driverOptions: volume.DriverConfig.Options } : {}),
    ...(volume?.Labels ? { labels: volume.Labels } : {}),
  };
}

function readSubpath(subpath = ''): Pick<RequestedMount, 'subpath'> {
  if (subpath === '') return {};
  const normal = posix.normalize(subpath);
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../')) throw bad(messages.SUBPATH_NOT_RELATIVE);
  return { subpath };
}

/** Parses one `--volumes-from` (`id`, `id:ro`). Throws `invalid-argument`. */
export function parseVolumesFrom(spec: string): { readonly container: string; readonly readOnly: boolean } {
  if (spec === '') throw bad('volumes-from specification cannot be an empty string');
  const colon = spec.indexOf(':');
  const mode = colon < 0 ? '' : spec.slice(colon + 1);
  if (!isMountMode(mode) || propagationOf(mode) !== undefined || isNoCopyMode(mode)) {
    throw bad(messages.invalidMountMode(mode));
  }
  return { container: colon < 0 ? spec : spec.slice(0, colon), readOnly: isReadOnlyMode(mode) };
}
