import { WharfError } from '@wharf/kit';
import { RUNTIME_MESSAGE_LIMIT } from './limits.ts';

/** The exit codes Docker gives a container or exec whose process could not be run (daemon/errors.go). */
export const EXIT_CANNOT_RUN = 126;
export const EXIT_NOT_FOUND = 127;
export const EXIT_UNKNOWN = 128;

/**
 * The words of a runtime that could not create or exec, turned to those Docker clients match on: they tell exit codes 126
 * and 127 apart by `permission denied` and `executable file not found` / `no such file or directory`.
 */
export function runtimeDetail(message: string, command: string): string {
  const text = message.trim().slice(0, RUNTIME_MESSAGE_LIMIT);
  const quoted = JSON.stringify(command);
  if (/executable file .* not found in \$PATH/i.test(text)) {
    return command.includes('/')
      ? `exec: ${quoted}: stat ${command}: no such file or directory`
      : `exec: ${quoted}: executable file not found in $PATH`;
  }
  if (/open executable: Permission denied/i.test(text)) return `exec: ${quoted}: permission denied`;
  // crun reports a directory, and a file without any x bit on some kernels, as EPERM of its own check.
  if (/open executable: (Operation not permitted|Is a directory)/i.test(text)) {
    return `exec: ${quoted}: is a directory: permission denied`;
  }
  return text
    .replaceAll('Permission denied', 'permission denied')
    .replaceAll('Not a directory', 'not a directory')
    .replaceAll('No such file or directory', 'no such file or directory');
}

/** The exit code for a text made by `runtimeDetail`. */
export function exitCodeOfFailure(text: string): number {
  const lower = text.toLowerCase();
  if (lower.includes('permission denied') || lower.includes('is a directory')) return EXIT_CANNOT_RUN;
  if (lower.includes('not a directory')) return EXIT_NOT_FOUND;
  if (lower.includes('executable file not found') || lower.includes('no such file or directory')) return EXIT_NOT_FOUND;
  return EXIT_UNKNOWN;
}

/** What a client hears when a container could not be created by the runtime; `details.exitCode` is the container's. */
export function createFailure(runtime: string, message: string, command: string): WharfError {
  const detail = runtimeDetail(message, command);
  let text = `failed to create task for container: failed to create shim task: OCI runtime create failed: ${runtime} create failed: unable to start container process: ${detail}: unknown`;
  const exitCode = exitCodeOfFailure(detail);
  if (detail.toLowerCase().includes('not a directory')) {
    text +=
      ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';
  }
  return new WharfError(exitCode === EXIT_UNKNOWN ? 'internal' : 'invalid-argument', text, { details: { exitCode } });
}

/** What a client hears when an exec could not be run. */
export function execFailure(message: string, command: string): WharfError {
  const detail = runtimeDetail(message, command);
  const exitCode = exitCodeOfFailure(detail);
  return new WharfError(
    exitCode === EXIT_UNKNOWN ? 'internal' : 'invalid-argument',
    `OCI runtime exec failed: exec failed: unable to start container process: ${detail}: unknown`,
    { details: { exitCode: exitCode === EXIT_UNKNOWN ? EXIT_CANNOT_RUN : exitCode } },
  );
}

/** The exit code an error of this room carries, if it carries one. */
export function exitCodeOf(error: unknown): number | undefined {
  if (!(error instanceof WharfError)) return undefined;
  const code = error.details?.['exitCode'];
  return typeof code === 'number' ? code : undefined;
}
