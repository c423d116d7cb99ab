import { fileError, isRemote } from './context.ts';

const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'];
const OVERRIDES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
];

/**
 * The Compose file of a directory or of the nearest one above it, and its override file. Empty where there is none.
 */
export function findDefaultFiles(directory: string, warn: (message: string) => void): string[] {
  const { dirname } = process.getBuiltinModule('node:path');
  for (let at = directory; ; at = dirname(at)) {
    const file = choose(at, NAMES, warn, 'config');
    if (file !== undefined) {
      const override = choose(at, OVERRIDES, warn, 'override');
      return override === undefined ? [file] : [file, override];
    }
    if (dirname(at) === at) return [];
  }
}

function choose(
  directory: string,
  names: readonly string[],
  warn: (message: string) => void,
  kind: string,
): string | undefined {
  const { join } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  const found = names.map((name) => join(directory, name)).filter((path) => fs.existsSync(path));
  if (found.length > 1) {
    warn(`Found multiple ${kind} files with supported names: ${found.join(', ')}`);
    warn(`Using ${found[0]}`);
  }
  return found[0];
}

/** The files of `COMPOSE_FILE`, absolute; undefined when it is not set. Throws `not-found` (`stat x: …`). */
export function filesOfEnvironment(environment: Readonly<Record<string, string>>, cwd: string): string[] | undefined {
  const list = environment['COMPOSE_FILE'];
  if (list === undefined) return undefined;
  const { resolve } = process.getBuiltinModule('node:path');
  const fs = process.getBuiltinModule('node:fs');
  const separator = environment['COMPOSE_PATH_SEPARATOR'] ?? '';
  return list.split(separator === '' ? ':' : separator).map((file) => {
    if (file === '-' || isRemote(file)) return file;
    const path = resolve(cwd, file);
    try {
      fs.statSync(path);
    } catch (error) {
      throw fileError(error, 'stat', path);
    }
    return path;
  });
}

/** Where a project is: as told, else where its first file is, else here. */
export function workingDirectory(options: {
  readonly given: string | undefined;
  readonly files: readonly string[];
  readonly cwd: string;
}): string {
  const { dirname, resolve } = process.getBuiltinModule('node:path');
  if (options.given !== undefined && options.given !== '') return resolve(options.cwd, options.given);
  for (const file of options.files) {
    if (file === '-') continue;
    return isRemote(file) ? options.cwd : dirname(resolve(options.cwd, file));
  }
  return options.cwd;
}
