import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The absolute path of a program: itself when it is one, else the first executable of that name on PATH. */
export function findProgram(name: string): string | undefined {
  const directories = isAbsolute(name) ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  const places = isAbsolute(name) ? directories : [...directories, '/usr/local/sbin', '/usr/sbin', '/sbin'];
  for (const directory of places) {
    const path = isAbsolute(name) ? name : join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here: the next place.
    }
  }
  return undefined;
}
