import { anyType, boolType, pointerTo, type StructType, sliceOf, stringType } from '@wharf/kit/go-template/types';
import { dockerType } from '../term/docker-types/docker-type.ts';
import { clientVersionType, goField } from './client-version.ts';

const clientInfo: StructType = {
  kind: 'struct',
  name: 'system.clientInfo',
  fields: [
    goField('Debug', boolType),
    goField('clientVersion', clientVersionType, { embedded: true }),
    goField('Plugins', sliceOf(anyType)),
    goField('Warnings', sliceOf(stringType)),
  ],
};

/** What the template of `wharf info` is rendered for. */
export const infoType: StructType = {
  kind: 'struct',
  name: 'system.dockerInfo',
  fields: [
    goField('Info', pointerTo(dockerType('system.Info')), { embedded: true }),
    goField('ServerErrors', sliceOf(stringType), { omitEmpty: true }),
    goField('UserName', stringType, { hidden: true }),
    goField('ClientInfo', pointerTo(clientInfo), { omitEmpty: true }),
    goField('ClientErrors', sliceOf(stringType), { omitEmpty: true }),
  ],
};

/** The same without what only the daemon knows: a template that renders for it needs no daemon. */
export const clientOnlyType: StructType = {
  kind: 'struct',
  name: 'system.sparseInfo',
  fields: infoType.fields.filter(({ name }) => name.startsWith('Client')),
};
