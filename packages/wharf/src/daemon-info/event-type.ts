import { int64Type, mapOf, type StructType, stringType } from '@wharf/kit/go-template/types';
import { goField } from './client-version.ts';

const actorType: StructType = {
  kind: 'struct',
  name: 'events.Actor',
  fields: [goField('ID', stringType), goField('Attributes', mapOf(stringType))],
};

/** What the template of `wharf events` is rendered for. */
export const eventType: StructType = {
  kind: 'struct',
  name: 'events.Message',
  fields: [
    goField('Status', stringType, { key: 'status', omitEmpty: true }),
    goField('ID', stringType, { key: 'id', omitEmpty: true }),
    goField('From', stringType, { key: 'from', omitEmpty: true }),
    goField('Type', { kind: 'string', name: 'events.Type' }),
    goField('Action', { kind: 'string', name: 'events.Action' }),
    goField('Actor', actorType),
    goField('Scope', stringType, { key: 'scope', omitEmpty: true }),
    goField('Time', int64Type, { key: 'time', omitEmpty: true }),
    goField('TimeNano', int64Type, { key: 'timeNano', omitEmpty: true }),
  ],
};
