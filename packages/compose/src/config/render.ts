import type { Value } from '../load/values.ts';
import { fileObjectShape, modelShape, networkShape, type Shape, serviceShape, volumeShape } from '../model/fields.ts';
import type { Project } from '../model/project.ts';
import type { FileObject } from '../model/resources.ts';
import type { Service } from '../model/service.ts';
import { extensionEntries, type Form, plainTree, shapeTree, type Tree, type TreeMap } from './tree.ts';
import { writeJson } from './write-json.ts';
import { writeYaml } from './write-yaml.ts';

const NOTHING = { name: '', networks: {}, volumes: {}, secrets: {}, configs: {}, models: {}, extensions: {} };

/** A project as `docker compose config` prints it, dollar signs doubled so that it reads back the same. */
export function renderProject(project: Project, format: 'yaml' | 'json'): string {
  const text =
    format === 'yaml' ? writeYaml(projectTree(project, 'yaml')) : writeJson(projectTree(project, 'json'), '  ');
  return text.replaceAll('$', '$$$$');
}

/** Images and nothing else, as an override file (`--lock-image-digests`). */
export function renderImages(project: Project, format: 'yaml' | 'json'): string {
  const services = mapValues(project.services, ({ image }): Service => (image === undefined ? {} : { image }));
  return renderProject({ ...project, ...NOTHING, services }, format);
}

/** A document that is no project yet (`--no-interpolate`): as it is. */
export function renderDocument(document: Value, format: 'yaml' | 'json'): string {
  return format === 'yaml' ? writeYaml(plainTree(document, 'yaml')) : writeJson(plainTree(document, 'json'), '  ');
}

function projectTree(project: Project, form: Form): TreeMap {
  const entries: [string, Tree][] = [];
  if (project.name !== '' || form === 'json') entries.push(['name', project.name]);
  const add = (key: string, values: Readonly<Record<string, object>>, shape: Shape): void => {
    const names = Object.keys(values);
    if (names.length === 0 && key !== 'services') return;
    // Indexed by its own keys: never undefined.
    entries.push([
      key,
      { order: 'sorted', entries: names.map((name) => [name, shapeTree(values[name] as object, shape, form)]) },
    ]);
  };
  add('services', project.services, serviceShape);
  add('networks', project.networks, networkShape);
  add('volumes', project.volumes, volumeShape);
  add('secrets', mapValues(project.secrets, withoutContent), fileObjectShape);
  add(
    'configs',
    mapValues(project.configs, (config) => (config.environment === undefined ? config : withoutContent(config))),
    fileObjectShape,
  );
  // compose leaves models out of JSON.
  if (form === 'yaml') add('models', project.models, modelShape);
  entries.push(...extensionEntries(project.extensions, form));
  // JSON is made from a map, whose keys are sorted.
  return { order: form === 'yaml' ? 'fields' : 'sorted', entries };
}

/** What comes from a variable is not printed: it may be a secret. */
function withoutContent(object: FileObject): FileObject {
  const { content: _, ...rest } = object;
  return rest;
}

function mapValues<T, U>(values: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
