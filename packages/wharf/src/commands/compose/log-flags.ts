import type { FlagTable } from '../../cli/flags.ts';
import { LogPrinter } from './log-printer.ts';
import type { ComposeSession } from './session.ts';

/** How lines of containers look. */
export const LOG_FLAGS = {
  'no-color': { kind: 'bool', help: 'Produce monochrome output' },
  'no-log-prefix': { kind: 'bool', help: "Don't print prefix in logs" },
} as const satisfies FlagTable;

/** Prints lines of containers on standard output and error. */
export function openLogPrinter(
  { context, appearance }: ComposeSession,
  given: { readonly isMonochrome: boolean; readonly prefix: boolean; readonly timestamps: boolean },
): LogPrinter {
  const { isMonochrome, prefix, timestamps } = given;
  return new LogPrinter({
    out: (bytes) => context.out.write(bytes),
    err: (bytes) => context.err.write(bytes),
    coloured: appearance.colouredOut && !isMonochrome,
    ...{ prefix, timestamps },
  });
}
