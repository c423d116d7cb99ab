import { readFileSync } from 'node:fs';
import { checkSeccompProfile } from '@wharf/engine/runtime/seccomp/custom-profile';
import { messageOf, WharfError } from '@wharf/kit';

/**
 * What `--seccomp-profile` stands for: `builtin`, `unconfined`, or the text of the file it names. A profile that no container
 * could start with is refused now. Throws `invalid-argument`.
 */
export function readSeccompProfile(setting: string): string {
  if (setting === 'builtin' || setting === 'unconfined') return setting;
  let text: string;
  try {
    text = readFileSync(setting, 'utf8');
  } catch (error) {
    throw new WharfError('invalid-argument', `opening seccomp profile (${setting}) failed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    checkSeccompProfile(text);
  } catch (error) {
    throw new WharfError('invalid-argument', `seccomp profile (${setting}): ${messageOf(error)}`, { cause: error });
  }
  return text;
}
