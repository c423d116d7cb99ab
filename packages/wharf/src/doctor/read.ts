import { existsSync, readFileSync } from 'node:fs';

/** The text of a small file of /proc or /sys; `undefined` when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Where a program lies: PATH first, then where root's programs are. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return existsSync(name) ? name : undefined;
  const path = process.env['PATH'] ?? '';
  const dirs = [...path.split(':'), '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return dirs
    .filter((dir) => dir !== '')
    .map((dir) => `${dir}/${name}`)
    .find((candidate) => existsSync(candidate));
}
