import { WharfError } from '@wharf/kit/errors';
import { fileError, readText } from './context.ts';
import { parseDotenv } from './dotenv.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * Reads files of variables (`.env`, `--env-file`), later ones over earlier ones. Variables in them are replaced from
 * `environment`, then from what was read before. Throws compose's words (`couldn't find env file: …`).
 */
export function readEnvFiles(
  files: readonly string[],
  environment: Environment,
  unset?: (name: string) => void,
): Record<string, string> {
  const values = new Map<string, string>();
  for (const file of files) {
    refuseDirectory(file);
    parseDotenv(readText(file), values, {
      file,
      lookup: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
      ...(unset === undefined ? {} : { unset }),
    });
  }
  return Object.fromEntries(values);
}

function refuseDirectory(file: string): void {
  const fs = process.getBuiltinModule('node:fs');
  let isDirectory: boolean;
  try {
    isDirectory = fs.statSync(file).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new WharfError('not-found', `couldn't find env file: ${file}`, { cause: error });
    throw fileError(error, 'stat', file);
  }
  if (isDirectory) throw new WharfError('invalid-argument', `${file} is a directory`);
}
