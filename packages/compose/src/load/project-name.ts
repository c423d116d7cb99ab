import { WharfError } from '@wharf/kit/errors';
import { interpolate } from './interpolate.ts';
import { dict, goString, type Value } from './values.ts';
import type { YamlFile, YamlNode } from './yaml-nodes.ts';
import { resolvePlain } from './yaml-scalars.ts';

export interface NameOptions {
  /** `-p`. */
  readonly given: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly YamlFile[];
  /** Absolute; its last part is the name of a project nobody named. */
  readonly directory: string;
  readonly interpolate: boolean;
  readonly normalize: boolean;
  readonly warn: (message: string) => void;
}

/** A project's name, and whether a flag or a variable set it. Throws `invalid-argument` for a name with other characters. */
export function projectName(options: NameOptions): string {
  const imposed = options.given ?? '';
  const variable = options.environment['COMPOSE_PROJECT_NAME'] ?? '';
  const name = imposed === '' ? variable : imposed;
  if (name !== '') {
    checkProjectName(name);
    return name;
  }
  const written = nameInFiles(options);
  // A name of which nothing is left is none at all, and not the directory's either.
  const isNamed = options.files.some(({ documents: [first] }) => first !== undefined && nameOf(first) !== '');
  return written === '' && !isNamed ? nameOfDirectory(options) : written;
}

/** Lower case, with what is not allowed in a name left out. */
export function normalizeProjectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '');
}

/** Throws `invalid-argument` in compose's words unless the name may be a project's. */
export function checkProjectName(name: string): void {
  if (normalizeProjectName(name) !== name)
    throw new WharfError(
      'invalid-argument',
      `invalid project name ${JSON.stringify(name)}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number`,
    );
}

/** `name:` of the files; the last one counts, and it may hold variables. */
function nameInFiles(options: NameOptions): string {
  let name = '';
  for (const file of options.files) for (const document of file.documents) name = nameOf(document) || name;
  const holder = dict({ name });
  if (options.interpolate)
    interpolate(holder, {
      lookup: (key) => (Object.hasOwn(options.environment, key) ? options.environment[key] : undefined),
      warn: options.warn,
    });
  const text = goString(holder['name'] ?? '');
  return options.normalize ? normalizeProjectName(text) : text;
}

function nameOf(document: YamlNode): string {
  if (document.kind !== 'mapping') return '';
  const entry = document.entries.find(({ key }) => key.kind === 'scalar' && key.text === 'name');
  const node = entry?.value.kind === 'alias' ? entry.value.target : entry?.value;
  if (node?.kind !== 'scalar') return '';
  const value: Value = node.plain && node.tag === '' ? resolvePlain(node.text) : node.text;
  return value === null ? '' : node.text;
}

function nameOfDirectory(options: NameOptions): string {
  const { basename } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  const name = basename(options.directory);
  try {
    if (basename(fs.realpathSync(options.directory)) !== name)
      options.warn(
        `project has been loaded without an explicit name from a symlink. Using name ${JSON.stringify(name)}`,
      );
  } catch {
    // A directory that is not there has no other name.
  }
  return normalizeProjectName(name);
}
