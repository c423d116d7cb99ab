import { closeSync, mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { WharfError } from '@wharf/kit';
import { AT_FDCWD } from '@wharf/linux/constants';
import { fstatNs, mountFlagsOf, O, openat2, ST } from '@wharf/linux/fsx';
import { type IdMapping, outsideId } from '@wharf/linux/user-namespace';
import type { ContainerRecord } from '../containers/container.ts';
import type { EventBus } from '../events/event-bus.ts';
import type { Attachments } from './attachments.ts';
import { makeSource, openGuarded, rootOver } from './bind-source.ts';
import { matchOwner } from './id-mapping.ts';
import { type ImageMounts, type MountedImage, placeName } from './image-mounts.ts';
import type { LocalDriver } from './local-driver.ts';
import type { PlannedMount } from './planned-mount.ts';
import type { Subpaths } from './subpath.ts';
import { LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import type { VolumeBooks } from './volume-books.ts';
import type { MountContext } from './volume-service.ts';

/** Finds, or makes, the host path of each of a container's mounts. */
export class MountSources {
  readonly #parts: MountSourceParts;

  constructor(parts: MountSourceParts) {
    this.#parts = parts;
  }

  /** The host path of a mount, made or mounted where that is our part. The container's pins are the caller's to release. */
  async find(record: ContainerRecord, mount: PlannedMount, context: MountContext): Promise<string> {
    const { point } = mount;
    if (mount.image !== undefined) return this.#image(record, mount, mount.image);
    if (point.Type === 'bind') return this.#bind(record, mount, context);
    if (point.Type === 'volume' && point.Name !== undefined) return this.#volume(record, mount, context);
    return point.Source;
  }

  #image(record: ContainerRecord, mount: PlannedMount, image: MountedImage): string {
    const { subpaths, images } = this.#parts;
    const place = subpaths.place(record.id, placeName(mount.point.Destination));
    mkdirSync(place, { recursive: true, mode: 0o700 });
    images.mount(image, place);
    return mount.subpath === undefined ? place : subpaths.pin(record.id, place, mount.subpath);
  }

  async #bind(record: ContainerRecord, mount: PlannedMount, context: MountContext): Promise<string> {
    const { point, createSource } = mount;
    const root = rootOver(point.Source, this.#writableTrees(record.id));
    if (root === undefined) {
      if (createSource) await makeSource(point.Source);
      return mount.idMapping === undefined ? point.Source : this.#pinPath(record, point.Source, mount, context);
    }
    // What lies in a volume containers have put there, links too, whenever that was: even while this one was being made.
    const isVolumes = this.#volumeTrees().some((tree) => tree === root);
    const before = isVolumes ? undefined : mount.resolved;
    const fd = openGuarded({ source: point.Source, root, before, create: createSource });
    return this.#pinAndClose(record, { fd, path: point.Source }, mount, context);
  }

  async #volume(record: ContainerRecord, mount: PlannedMount, context: MountContext): Promise<string> {
    const { point, subpath } = mount;
    const { books, local, attachments, subpaths } = this.#parts;
    const volume = books.record(point.Name ?? '');
    if (volume.driver === LOCAL_DRIVER) await local.make(volume.name);
    const path = await this.#attach(volume, record.id, attachments);
    this.#publishMount(volume, record.id, mount);
    const found = subpath === undefined ? path : subpaths.pin(record.id, path, subpath);
    return mount.idMapping === undefined ? found : this.#pinPath(record, found, mount, context);
  }

  async #attach(volume: VolumeRecord, user: string, attachments: Attachments): Promise<string> {
    try {
      return await attachments.attach(volume, user);
    } catch (cause) {
      if (volume.driver === LOCAL_DRIVER || !(cause instanceof WharfError)) throw cause;
      throw new WharfError(cause.kind, `error while mounting volume '${volume.name}': ${cause.message}`, { cause });
    }
  }

  #publishMount(volume: VolumeRecord, container: string, { point }: PlannedMount): void {
    this.#parts.events.publish({
      type: 'volume',
      action: 'mount',
      actorId: volume.name,
      attributes: {
        container,
        destination: point.Destination,
        driver: volume.driver,
        propagation: point.Propagation,
        'read/write': String(point.RW),
      },
    });
  }

  #pinPath(record: ContainerRecord, path: string, mount: PlannedMount, context: MountContext): Promise<string> {
    const fd = openat2(AT_FDCWD, path, { flags: O.PATH, resolve: 0 });
    return this.#pinAndClose(record, { fd, path }, mount, context);
  }

  async #pinAndClose(
    record: ContainerRecord,
    source: { readonly fd: number; readonly path: string },
    mount: PlannedMount,
    context: MountContext,
  ): Promise<string> {
    try {
      const idMapping = await mappingFor(record, mount, source.fd, context);
      const recursive = mount.bind?.NonRecursive !== true;
      return this.#parts.subpaths.pinOpen(record.id, source, { recursive, idMapping });
    } finally {
      closeSync(source.fd);
    }
  }

  #volumeTrees(): readonly string[] {
    const { books, local } = this.#parts;
    return books.volumes
      .list()
      .flatMap(({ key, value }) => (value.driver === LOCAL_DRIVER ? [local.dataPath(key)] : []));
  }

  /** The trees that containers other than this one may write in. */
  *#writableTrees(containerId: string): Iterable<string> {
    const { books } = this.#parts;
    yield* this.#volumeTrees();
    for (const id of books.users()) {
      if (id === containerId) continue;
      for (const { point } of books.mountsOf(id) ?? []) if (point.Type === 'bind' && point.RW) yield point.Source;
    }
  }
}

export interface MountSourceParts {
  readonly books: VolumeBooks;
  readonly local: LocalDriver;
  readonly attachments: Attachments;
  readonly subpaths: Subpaths;
  readonly images: ImageMounts;
  readonly events: EventBus;
}

/**
 * The mapping that a mount itself asks for. What a container's user namespace asks for comes on top, for all its mounts alike.
 * Throws `invalid-argument` where it has none and the mount wants it.
 */
async function mappingFor(
  record: ContainerRecord,
  mount: PlannedMount,
  fd: number,
  context: MountContext,
): Promise<IdMapping | undefined> {
  const { Source: source = '', User: user = '' } = mount.idMapping ?? {};
  const { userNamespace } = record;
  if (source === 'userns' && userNamespace === undefined) {
    throw new WharfError('invalid-argument', 'ID mapping "userns" needs a container with a user namespace of its own');
  }
  if (source !== 'match-user') return undefined;
  const wanted = user === '' ? (record.config.User ?? '') : user;
  const { uid, gid } = context.userOf === undefined ? numbersOf(wanted) : await context.userOf(wanted);
  if (userNamespace === undefined) return matchOwner(fstatNs(fd), { uid, gid });
  const { uids, gids } = userNamespace;
  return matchOwner(fstatNs(fd), { uid: outsideId(uids, uid), gid: outsideId(gids, gid) });
}

function numbersOf(user: string): { readonly uid: number; readonly gid: number } {
  const [uid = '', gid = ''] = user.split(':');
  return { uid: Number.parseInt(uid, 10) || 0, gid: Number.parseInt(gid, 10) || 0 };
}

/** What the runtime has to know of a source, which it would take for a plain writable directory. */
export interface SourceFacts {
  /** Anything but a directory. */
  readonly isFile: boolean;
  /** What the mount it is in forbids, in the words of mount(8): a runtime that sets flags anew would allow it. */
  readonly restrictions: readonly string[];
}

const RESTRICTIONS: readonly (readonly [flag: number, word: string])[] = [
  [ST.RDONLY, 'ro'],
  [ST.NOSUID, 'nosuid'],
  [ST.NODEV, 'nodev'],
  [ST.NOEXEC, 'noexec'],
  [ST.NOATIME, 'noatime'],
  [ST.NODIRATIME, 'nodiratime'],
];

/** Looks at a mount's source. Where that fails, the runtime says better what is wrong with it. */
export async function factsOf(path: string): Promise<SourceFacts> {
  try {
    const [status, flags] = await Promise.all([stat(path), mountFlagsOf(path)]);
    const restrictions = RESTRICTIONS.filter(([flag]) => (flags & flag) !== 0).map(([, word]) => word);
    return { isFile: !status.isDirectory(), restrictions };
  } catch {
    return { isFile: false, restrictions: [] };
  }
}
