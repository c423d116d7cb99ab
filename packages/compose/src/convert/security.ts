import { resolve } from 'node:path';
import { messageOf, WharfError } from '@wharf/kit';
import type { HostFiles } from './host.ts';

/** `security_opt` as the daemon takes it: a seccomp profile is sent as text. */
export function securityOptions(
  options: readonly string[] | undefined,
  { workingDir, host }: { readonly workingDir: string; readonly host: HostFiles },
): { readonly options: readonly string[] | undefined; readonly unconfined: boolean } {
  if (options === undefined) return { options, unconfined: false };
  const kept = options.filter((option) => option !== 'systempaths=unconfined');
  return {
    options: kept.map((option) => convertOption(option, workingDir, host)),
    unconfined: kept.length < options.length,
  };
}

function convertOption(option: string, workingDir: string, host: HostFiles): string {
  const at = option.includes('=') ? option.indexOf('=') : option.indexOf(':');
  if (at === -1) {
    if (option === 'no-new-privileges') return option;
    throw new WharfError('invalid-argument', `invalid security-opt: ${JSON.stringify(option)}`);
  }
  const profile = option.slice(at + 1);
  if (option.slice(0, at) !== 'seccomp' || profile === 'unconfined' || profile === 'builtin') return option;
  let text: string;
  try {
    text = host.read(resolve(workingDir, profile)).toString('utf8');
  } catch (error) {
    throw new WharfError('not-found', `opening seccomp profile (${profile}) failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    return `seccomp=${JSON.stringify(JSON.parse(text))}`;
  } catch (error) {
    throw new WharfError(
      'invalid-argument',
      `compacting json for seccomp profile (${profile}) failed: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
