import { GoTemplate } from '@wharf/kit/go-template/template';
import {
  type GoField,
  type GoMethod,
  mapOf,
  pointerTo,
  type StructType,
  sliceOf,
  stringType,
} from '@wharf/kit/go-template/types';
import { GoValue } from '@wharf/kit/go-template/value';
import type { ContainerRecord } from '../containers/container.ts';
import { tagValues } from './tag-values.ts';

/** A tag is rendered in the daemon, for whoever may make a container: it may not take long. */
const MAX_STEPS = 10_000;

/** The tag for a container. Throws TemplateError in dockerd's words. */
export function renderTagTemplate(record: ContainerRecord, template: string): string {
  const read = new GoTemplate(template, { name: 'log-tag' });
  return read.render(new GoValue(infoType, dataOf(record)), { maxSteps: MAX_STEPS });
}

/** Throws TemplateError for a template that cannot be read, or that asks for what no container has. */
export function checkTagTemplate(template: string): void {
  const read = new GoTemplate(template, { name: 'log-tag' });
  const { error } = read.renderPart(new GoValue(infoType, {}), { maxSteps: MAX_STEPS });
  // What a function makes of a container's own values is seen when it has some.
  if (error !== undefined && !error.message.includes(': error calling ')) throw error;
}

interface Info {
  readonly record?: ContainerRecord;
}

const texts = (...names: readonly string[]): readonly GoField[] =>
  names.map((name) => ({ name, key: name, type: stringType }));

/** dockerd's logger.Info: what a tag can name. */
const info: StructType = {
  kind: 'struct',
  name: 'logger.Info',
  fields: [
    { name: 'Config', key: 'Config', type: mapOf(stringType) },
    ...texts('ContainerID', 'ContainerName', 'ContainerEntrypoint'),
    { name: 'ContainerArgs', key: 'ContainerArgs', type: sliceOf(stringType) },
    ...texts('ContainerImageID', 'ContainerImageName', 'ContainerCreated'),
    { name: 'ContainerEnv', key: 'ContainerEnv', type: sliceOf(stringType) },
    { name: 'ContainerLabels', key: 'ContainerLabels', type: mapOf(stringType) },
    ...texts('LogPath', 'DaemonName'),
  ],
  methods: Object.fromEntries(
    Object.entries(tagValues)
      .filter(([name]) => name !== '.DaemonName')
      .map(([name, value]) => [name.slice(1), method(value)]),
  ),
};

const infoType = pointerTo(info);

function method(value: (record: ContainerRecord) => string): GoMethod {
  return {
    parameters: [],
    result: stringType,
    call: (data) => {
      const { record } = (data ?? {}) as Info;
      return record === undefined ? '' : value(record);
    },
  };
}

function dataOf(record: ContainerRecord): Info & Readonly<Record<string, unknown>> {
  return {
    record,
    Config: record.hostConfig.LogConfig?.Config ?? {},
    ContainerID: record.id,
    ContainerName: `/${record.name}`,
    ContainerEntrypoint: record.path,
    ContainerArgs: record.args,
    ContainerImageID: record.imageId,
    ContainerImageName: record.config.Image ?? '',
    ContainerCreated: record.createdAt,
    ContainerEnv: record.config.Env ?? [],
    ContainerLabels: record.config.Labels ?? {},
    DaemonName: 'docker',
  };
}
