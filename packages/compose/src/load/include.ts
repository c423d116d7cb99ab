import { WharfError } from '@wharf/kit/errors';
import { directoryFrom, fileError, isRemote, type LoadContext, localPath } from './context.ts';
import { readEnvFiles } from './env-files.ts';
import { Problem } from './problem.ts';
import type { Scope } from './scope.ts';
import { type Dict, dict, goString, isDict, sameValue, type Value } from './values.ts';

interface Include {
  /** The first is the included file, the others are laid over it. */
  readonly path: readonly string[];
  readonly projectDirectory: string;
  readonly envFile: readonly string[];
}

const SECTIONS = ['services', 'volumes', 'networks', 'secrets', 'configs', 'models'];

/** Takes the resources of included files into a document (Compose specification, "Include"), in place. */
export async function applyInclude(document: Dict, included: readonly string[], scope: Scope): Promise<void> {
  const list = document['include'];
  if (list === undefined || list === null) return;
  if (!Array.isArray(list))
    throw new Problem(`\`include\` must be a list, got ${goString(list)}`, { keys: ['include'] });
  for (const [index, item] of list.entries()) {
    const imported = await loadIncluded(readInclude(item), included, scope, ['include', String(index)]);
    for (const section of SECTIONS) importSection(imported, document, section);
  }
  delete document['include'];
}

function readInclude(item: Value): Include {
  const texts = (value: Value | undefined): string[] =>
    Array.isArray(value) ? value.map(goString) : typeof value === 'string' ? [value] : [];
  if (!isDict(item)) return { path: texts(item), projectDirectory: '', envFile: [] };
  const directory = item['project_directory'];
  return {
    path: texts(item['path']),
    projectDirectory: typeof directory === 'string' ? directory : '',
    envFile: texts(item['env_file']),
  };
}

async function loadIncluded(
  include: Include,
  included: readonly string[],
  scope: Scope,
  keys: readonly string[],
): Promise<Dict> {
  const { context } = scope;
  const paths: string[] = [];
  for (const reference of include.path) paths.push(await localPath(reference, scope.directory, context));
  const main = paths[0];
  if (main !== undefined && included.includes(main)) throw includeCycle([...included, main], keys);
  const { directory, workingDir } = directories(include, main ?? scope.directory, scope);
  const environment = { ...readIncludedEnv(include, directory, scope), ...scope.environment };
  return scope.loader.model(
    paths.map((path) => context.files.read(path)),
    {
      ...scope,
      steps: { ...scope.steps, paths: true },
      directory,
      workingDir,
      environment,
      included,
      chain: [],
    },
  );
}

/** The included project's directory, and the same as seen from the including one. */
function directories(include: Include, main: string, scope: Scope): { directory: string; workingDir: string } {
  const { dirname, isAbsolute, join } = process.getBuiltinModule('node:path');
  const own = include.projectDirectory;
  if (own === '') {
    const remote = isRemote(include.path[0] ?? '');
    return {
      directory: dirname(main),
      workingDir: remote ? dirname(main) : directoryFrom(scope.directory, main),
    };
  }
  if (isAbsolute(own)) return { directory: own, workingDir: own };
  const directory = join(scope.directory, own);
  return { directory, workingDir: directoryFrom(scope.directory, directory) };
}

function readIncludedEnv(include: Include, directory: string, scope: Scope): Record<string, string> {
  const { isAbsolute, join } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  let files: string[];
  if (include.envFile.length === 0) {
    const standard = join(directory, '.env');
    const found = fs.statSync(standard, { throwIfNoEntry: false });
    files = found !== undefined && !found.isDirectory() ? [standard] : [];
  } else files = include.envFile.map((file) => (isAbsolute(file) ? file : existing(join(scope.directory, file))));
  return readEnvFiles(files, scope.environment, unsetWarning(scope.context));
}

function existing(path: string): string {
  const fs = process.getBuiltinModule('node:fs');
  try {
    if (fs.statSync(path).isDirectory()) throw new WharfError('invalid-argument', `${path} is not a file`);
  } catch (error) {
    throw fileError(error, 'stat', path);
  }
  return path;
}

/** Tells of a variable that is not set. */
export function unsetWarning(context: LoadContext): (name: string) => void {
  return (name) => context.warn(`The ${JSON.stringify(name)} variable is not set. Defaulting to a blank string.`);
}

function importSection(source: Dict, target: Dict, section: string): void {
  const from = source[section];
  if (!isDict(from)) return;
  const given = target[section];
  const to = isDict(given) ? given : dict();
  for (const name of Object.keys(from)) {
    const value = from[name] ?? null;
    if (name in to && !sameValue(value, to[name] ?? null))
      throw new Problem(`${section}.${name} conflicts with imported resource`, {
        keys: [section, name],
        suggestion: 'an included file has it already: change it in an override file of the include, or rename it here',
      });
    to[name] = value;
  }
  target[section] = to;
}

function includeCycle(files: readonly string[], keys: readonly string[]): Problem {
  return new Problem(`include cycle detected:\n${files[0]}\n include ${files.slice(1).join('\n include ')}`, { keys });
}
