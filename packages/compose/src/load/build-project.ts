import { fileObjectShape, modelShape, networkShape, type Shape, serviceShape, volumeShape } from '../model/fields.ts';
import type { Project } from '../model/project.ts';
import type { FileObject } from '../model/resources.ts';
import type { Service } from '../model/service.ts';
import { DecodeErrors, decodeMap } from './decode.ts';
import { Problem } from './problem.ts';
import { SECRET_VALUE } from './resolve-environment.ts';
import { type Dict, dictAt, isDict, type Value } from './values.ts';

export interface ProjectFacts {
  readonly name: string;
  readonly workingDir: string;
  readonly composeFiles: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A settled document as a project, all services enabled. Throws a `Problem` that lists what cannot be read. */
export function buildProject(document: Dict, facts: ProjectFacts): Project {
  const errors = new DecodeErrors();
  // The shapes are the interfaces' own: `decodeMap` builds what they describe.
  const section = <T>(key: string, shape: Shape): Record<string, T> => {
    refuseProto(document, key);
    return decodeMap(document[key], shape, key, errors) as Record<string, T>;
  };
  const project: Project = {
    ...facts,
    services: section<Service>('services', serviceShape),
    networks: section('networks', networkShape),
    volumes: section('volumes', volumeShape),
    secrets: withSecretValues(section<FileObject>('secrets', fileObjectShape), document),
    configs: section('configs', fileObjectShape),
    models: section('models', modelShape),
    extensions: extensionsOf(document),
    disabledServices: {},
    profiles: [],
  };
  const first = errors.found[0];
  if (first !== undefined) {
    const list = errors.found.map(({ text }) => text).join('\n');
    throw new Problem(`decoding failed due to the following error(s):\n\n${list}`, { keys: first.keys });
  }
  return project;
}

/** The one name that JavaScript's objects keep for themselves. */
function refuseProto(document: Dict, section: string): void {
  if (Object.hasOwn(dictAt(document, section) ?? {}, '__proto__'))
    throw new Problem(`${section}.__proto__: this name cannot be used`, { keys: [section, '__proto__'] });
}

function extensionsOf(document: Dict): Record<string, Value> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => key.startsWith('x-')));
}

/** A secret's value from a variable stands on a key of its own until here. */
function withSecretValues(secrets: Record<string, FileObject>, document: Dict): Record<string, FileObject> {
  const result: Record<string, FileObject> = {};
  for (const [name, secret] of Object.entries(secrets)) {
    const written = dictAt(document, 'secrets')?.[name];
    const value = isDict(written) ? written[SECRET_VALUE] : undefined;
    const { [SECRET_VALUE]: _, ...rest } = secret;
    result[name] = typeof value === 'string' && value !== '' ? { ...rest, content: value } : rest;
  }
  return result;
}

/** `scale` and `deploy.replicas` say the same once both may be there. */
export function alignReplicas(project: Project): Project {
  const services = Object.entries(project.services).map(([name, service]): [string, Service] =>
    service.scale === undefined || service.deploy === undefined
      ? [name, service]
      : [name, { ...service, deploy: { ...service.deploy, replicas: service.scale } }],
  );
  return { ...project, services: Object.fromEntries(services) };
}
