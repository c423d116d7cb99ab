import { hostname } from 'node:os';
import { shortId } from '@wharf/kit';
import type { ContainerRecord } from '../containers/container.ts';

/** What a tag asks of a container, by the name it has in templates. */
export const tagValues: Readonly<Record<string, (record: ContainerRecord) => string>> = {
  '.ID': (record) => shortId(record.id),
  '.FullID': (record) => record.id,
  '.Name': (record) => record.name,
  '.Command': (record) => [record.path, ...record.args].join(' '),
  '.ImageID': (record) => shortId(record.imageId),
  '.ImageFullID': (record) => record.imageId,
  '.ImageName': (record) => record.config.Image ?? '',
  '.DaemonName': () => 'docker',
  '.Hostname': () => hostname(),
};
