import { ExitError } from '../../cli/errors.ts';
import type { FlagTable, FlagValues } from '../../cli/flags.ts';

/** The flags of `stop` and `restart`. */
export const STOP_FLAGS = {
  signal: { kind: 'string', short: 's', help: 'Signal to send to the container' },
  timeout: { kind: 'int', short: 't', help: 'Seconds to wait before killing the container' },
  time: {
    kind: 'int',
    deprecated: 'use --timeout instead',
    help: 'Seconds to wait before killing the container (deprecated: use --timeout)',
  },
} as const satisfies FlagTable;

/** The query of the request. */
export function stopQuery({ signal, timeout, time }: FlagValues<typeof STOP_FLAGS>) {
  if (timeout !== undefined && time !== undefined) {
    throw new ExitError(1, 'conflicting options: cannot specify both --timeout and --time');
  }
  return { signal: signal || undefined, t: timeout ?? time };
}
