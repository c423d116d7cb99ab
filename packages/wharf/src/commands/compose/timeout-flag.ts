import type { FlagTable } from '../../cli/flags.ts';

/** `-t`: seconds until a container that does not stop is killed; absent, each container's own. */
export const TIMEOUT_FLAG = {
  timeout: { kind: 'int', short: 't', help: 'Specify a shutdown timeout in seconds', shownDefault: '' },
} as const satisfies FlagTable;

/** An option that is there only when the flag was given. */
export function timeoutOf({ timeout }: { readonly timeout: number | undefined }): { readonly timeout?: number } {
  return timeout === undefined ? {} : { timeout };
}
