import { WharfError } from '@wharf/kit';
import * as messages from '@wharf/wire/docker/messages';
import { MAX_VOLUME_NAME } from './limits.ts';

export const LOCAL_DRIVER = 'local';
/** Marks volumes that the engine named itself. */
export const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';

/** A volume as it is kept in the store. */
export interface VolumeRecord {
  readonly name: string;
  readonly driver: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
  /** Set while content is copied in: found at a later start, the copy was cut short and begins anew. */
  readonly populating?: boolean | undefined;
  /** Set while a new volume is made from an archive or another volume: found at a later start, it goes. */
  readonly unfinished?: boolean | undefined;
  /** Set while the volume gets its name: its directory may still have this one. */
  readonly renamedFrom?: string | undefined;
}

/** Throws `invalid-argument` in Docker's words when a local volume may not have that name. */
export function checkVolumeName(name: string): void {
  if (name.length === 1) throw new WharfError('invalid-argument', messages.volumeNameTooShort(name));
  if (name.length > MAX_VOLUME_NAME || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw new WharfError('invalid-argument', messages.volumeNameInvalid(name));
  }
}
