import { join } from 'node:path';

export type ClientEnvironment = Readonly<Record<string, string | undefined>>;

/** The directory of the client's configuration: DOCKER_CONFIG, or `.docker` in the home directory. */
export function clientConfigDirectory(env: ClientEnvironment = process.env): string {
  return env['DOCKER_CONFIG'] || join(env['HOME'] || process.getBuiltinModule('node:os').homedir(), '.docker');
}
