import type { BindOptions, IDMapping, MountPoint, TmpfsOptions } from '@wharf/wire/docker/types';
import type { MountedImage } from './image-mounts.ts';

/**
 * A mount point with what `inspect` does not show but starting and removing the container need. Kept in the store from
 * the container's creation to its removal; plain JSON.
 */
export interface PlannedMount {
  readonly point: MountPoint;
  /** The volume has no name of the user's: `rm -v` and `--rm` remove it. */
  readonly anonymous: boolean;
  /** Fill the volume from the image when it is empty. */
  readonly copyUp: boolean;
  /** A missing source directory is made, as `-v` does. */
  readonly createSource: boolean;
  readonly bind?: BindOptions | undefined;
  readonly tmpfs?: TmpfsOptions | undefined;
  /** A directory or file inside the volume or image. */
  readonly subpath?: string | undefined;
  /** Shows files under other owners than they have on disk. */
  readonly idMapping?: IDMapping | undefined;
  /** Where a bind's source led when the container was made, if elsewhere than it says. */
  readonly resolved?: string | undefined;
  /** What a mount of type `image` shows. */
  readonly image?: MountedImage | undefined;
}

/** A mount as the request has it: the volume may not exist yet. */
export interface RequestedMount extends Omit<PlannedMount, 'point' | 'image' | 'resolved'> {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** A host path, the volume's name or the image's; `''` for an anonymous volume and tmpfs. */
  readonly source: string;
  readonly destination: string;
  readonly mode: string;
  readonly readOnly: boolean;
  readonly propagation: string;
  readonly driver?: string | undefined;
  readonly driverOptions?: Readonly<Record<string, string>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}
