import type { VolumeCreateRequest } from '@wharf/wire/docker/types';
import type { Project } from '../model/project.ts';
import type { Volume } from '../model/resources.ts';
import { volumeLabels } from './labels.ts';

/** The body that makes a named volume of the project. */
export function volumeBody(project: Project, key: string, volume: Volume): VolumeCreateRequest {
  return {
    Name: volume.name ?? key,
    Driver: volume.driver ?? '',
    DriverOpts: volume.driver_opts,
    Labels: volumeLabels(project, key, volume),
  };
}
