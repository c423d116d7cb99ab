import { WharfError } from '@wharf/kit';

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** `''` the default profile, `unconfined`, or a profile's JSON. */
  readonly seccomp: string;
  /** `systempaths=unconfined`: nothing masked, nothing read-only. The client turns it into empty path lists. */
  readonly writableCgroups: boolean;
}

/**
 * Parses `HostConfig.SecurityOpt`. Throws `invalid-argument` in Docker's words. AppArmor and SELinux options are accepted
 * and without effect where the host has neither.
 */
export function parseSecurityOptions(options: readonly string[] | null | undefined): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp = '';
  let writableCgroups = false;
  for (const option of options ?? []) {
    if (option === 'no-new-privileges') {
      noNewPrivileges = true;
      continue;
    }
    if (option === 'writable-cgroups') {
      writableCgroups = true;
      continue;
    }
    if (option === 'disable') continue;
    const [, name = '', value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    switch (name) {
      case 'seccomp':
        seccomp = value === 'builtin' ? '' : value;
        break;
      case 'no-new-privileges':
        noNewPrivileges = truth(option, value);
        break;
      case 'writable-cgroups':
        if (value !== 'true' && value !== 'false') throw unknown(option);
        writableCgroups = value === 'true';
        break;
      case 'label':
      case 'apparmor':
      case 'systempaths':
        break;
      default:
        throw unknown(option);
    }
  }
  return { noNewPrivileges, seccomp, writableCgroups };
}

function truth(option: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw unknown(option);
}

function unknown(option: string): WharfError {
  return new WharfError('invalid-argument', `invalid --security-opt 2: "${option}"`);
}
