import { WharfError } from '@wharf/kit/errors';
import { FileCache, isRemote, type LoadContext, localPath } from './context.ts';
import { readEnvFiles } from './env-files.ts';
import { filesOfEnvironment, findDefaultFiles, workingDirectory } from './find-files.ts';
import { loadFile } from './load-document.ts';
import { loadModel } from './load-model.ts';
import { locateProblem } from './locate.ts';
import { normalize } from './normalize.ts';
import type { LoadOptions } from './options.ts';
import { Problem } from './problem.ts';
import { checkProjectName, projectName } from './project-name.ts';
import type { Dict } from './values.ts';
import type { YamlFile } from './yaml-nodes.ts';

/** The document of a project before it becomes the model, and what was found out on the way. */
export interface LoadedModel {
  readonly document: Dict;
  readonly name: string;
  /** Absolute. */
  readonly workingDir: string;
  readonly composeFiles: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
  readonly context: LoadContext;
}

/** Finds, reads and merges the files of a project, and settles names and defaults. Throws as `loadProject` does. */
export async function loadSettledModel(options: LoadOptions): Promise<LoadedModel> {
  const context: LoadContext = {
    warn: options.warn ?? ((): void => undefined),
    home: options.environment['HOME'],
    signal: options.signal,
    fetchRemote: options.fetchRemote,
    files: new FileCache(),
  };
  try {
    return await load(options, context);
  } catch (error) {
    throw locateProblem(error, context.files, options.cwd);
  }
}

async function load(options: LoadOptions, context: LoadContext): Promise<LoadedModel> {
  const found = findProject(options, context);
  if (options.projectName !== undefined) checkProjectName(options.projectName);
  const { files, workingDir } = await readFiles(found, options, context);
  const name = projectName({
    given: options.projectName,
    environment: found.environment,
    files,
    directory: found.directory,
    interpolate: options.interpolate !== false,
    normalize: options.normalize !== false,
    warn: context.warn,
  });
  const environment = { ...found.environment, COMPOSE_PROJECT_NAME: name };
  const document = await loadModel(files, {
    context,
    steps: {
      interpolate: options.interpolate !== false,
      validate: true,
      extends: true,
      include: true,
      defaults: true,
      paths: options.resolvePaths !== false,
    },
    directory: workingDir,
    workingDir,
    // Without interpolation compose takes nothing at all from the environment.
    environment: options.interpolate === false ? { COMPOSE_PROJECT_NAME: name } : environment,
    included: [],
    chain: [],
    loader: { file: loadFile, model: loadModel },
  });
  if (Object.keys(document).length === 0) throw new Problem('empty compose file');
  if (name === '') throw new WharfError('invalid-argument', 'project name must not be empty');
  if (options.normalize !== false) normalize(document, name, options.interpolate === false ? {} : environment);
  const composeFiles = files.map((file) => file.name);
  return { document, name, workingDir, composeFiles, environment, profiles: found.profiles, context };
}

interface FoundProject {
  readonly files: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly profiles: readonly string[];
}

/** Which files, which directory, which variables: `.env` may name the files, and where they are may bring another `.env`. */
function findProject(options: LoadOptions, context: LoadContext): FoundProject {
  const given = options.files ?? [];
  const place = { given: options.projectDirectory, cwd: options.cwd };
  let environment = processEnvironment(options);
  const first = envFiles(options, workingDirectory({ ...place, files: given }));
  environment = withEnvFiles(environment, first);
  const files =
    given.length > 0
      ? given
      : (filesOfEnvironment(environment, options.cwd) ??
        findDefaultFiles(workingDirectory({ ...place, files: [] }), context.warn));
  const directory = workingDirectory({ ...place, files });
  const second = envFiles(options, directory);
  environment = withEnvFiles(environment, second.length === 0 ? first : second);
  const named = options.profiles ?? [];
  const profiles =
    named.length > 0 ? named : (environment['COMPOSE_PROFILES'] ?? '').split(',').map((profile) => profile.trim());
  return { files, directory, environment, profiles };
}

function processEnvironment(options: LoadOptions): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.environment)) if (value !== undefined) environment[name] = value;
  environment['PWD'] ??= options.cwd;
  return environment;
}

function envFiles(options: LoadOptions, directory: string): string[] {
  const { join, resolve } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  const given = options.envFiles ?? [];
  const named = given.length > 0 ? given : (options.environment['COMPOSE_ENV_FILES'] ?? '').split(',');
  const files = named.filter((file) => file !== '').map((file) => resolve(options.cwd, file));
  if (files.length > 0 || isTrue(options.environment['COMPOSE_DISABLE_ENV_FILE'])) return files;
  const standard = join(directory, '.env');
  const stat = fs.statSync(standard, { throwIfNoEntry: false });
  return stat === undefined || stat.isDirectory() ? [] : [standard];
}

function isTrue(value: string | undefined): boolean {
  if (value === undefined || /^(0|f|F|false|False|FALSE)$/.test(value)) return false;
  if (/^(1|t|T|true|True|TRUE)$/.test(value)) return true;
  throw new WharfError('invalid-argument', `strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`, {
    hint: 'COMPOSE_DISABLE_ENV_FILE is true or false',
  });
}

/** Variables of the process win over those of files. */
function withEnvFiles(environment: Readonly<Record<string, string>>, files: readonly string[]): Record<string, string> {
  return { ...readEnvFiles(files, environment), ...environment };
}

async function readFiles(
  found: FoundProject,
  options: LoadOptions,
  context: LoadContext,
): Promise<{ files: YamlFile[]; workingDir: string }> {
  const { dirname } = process.getBuiltinModule('node:path');
  if (found.files.length === 0)
    throw new WharfError('not-found', 'no configuration file provided: not found', {
      hint: 'name a file with -f, or change to the directory of a compose.yaml',
    });
  let fetched: string | undefined;
  const files: YamlFile[] = [];
  for (const name of found.files) {
    if (name === '-') {
      files.push(context.files.add('-', await (options.readStdin?.() ?? Promise.resolve(''))));
      continue;
    }
    const path = await localPath(name, options.cwd, context);
    if (isRemote(name)) fetched ??= dirname(path);
    files.push(context.files.read(path));
  }
  // What was fetched brings its directory along.
  return { files, workingDir: fetched ?? found.directory };
}
