import { pointerTo, type StructType } from '@wharf/kit/go-template/types';
import { dockerType } from '../term/docker-types/docker-type.ts';
import { clientVersionType, goField } from './client-version.ts';

/** What the template of `wharf version` is rendered for. */
export const versionType: StructType = {
  kind: 'struct',
  name: 'system.versionInfo',
  fields: [goField('Client', clientVersionType), goField('Server', pointerTo(dockerType('types.Version')))],
};
