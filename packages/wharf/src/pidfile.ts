import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';

/**
 * Writes the daemon's pid; refuses with `conflict` while another daemon runs under it. A file whose process is gone, or is
 * another program by now, is taken over.
 */
export function writePidfile(path: string): void {
  const running = readPidfile(path);
  if (running !== undefined && running !== process.pid) {
    throw new WharfError(
      'conflict',
      `Cannot start the daemon: process ${running} already runs, by its pid file "${path}"`,
      {
        hint: 'Stop it first, or give this one its own --pidfile, --data-root and --exec-root.',
      },
    );
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${process.pid}\n`);
}

/** The pid of the running daemon that wrote the file; `undefined` when there is none. */
export function readPidfile(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const pid = Number(text.trim());
  return Number.isSafeInteger(pid) && pid > 1 && isDaemon(pid) ? pid : undefined;
}

/** Removes the file when it is still ours. */
export function removePidfile(path: string): void {
  try {
    if (Number(readFileSync(path, 'utf8').trim()) === process.pid) rmSync(path);
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** Pids are used again: only a process that runs our daemon's entry file counts. */
function isDaemon(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .some((argument) => argument.endsWith('/wharfd.ts'));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ESRCH')) return false;
    throw error;
  }
}
