import { WharfError } from '@wharf/kit';

/** What `--security-opt` asks for. */
export interface SecurityOptions {
  /** `undefined`: as the daemon says. */
  readonly noNewPrivileges: boolean | undefined;
  /** `''` the daemon's default, `builtin`, `unconfined`, or a profile's JSON. */
  readonly seccomp: string;
  readonly writableCgroups: boolean;
  /** A user namespace of the container's own: wharf's, for clients that let `--userns` be nothing but `host`. */
  readonly userNamespace: 'private' | 'auto' | undefined;
  /** `''` the default profile, `unconfined`, or one that is loaded. */
  readonly appArmor: string;
  /** SELinux: `disable`, or parts of a label. */
  readonly labels: readonly string[];
}

/**
 * Parses `HostConfig.SecurityOpt`. Throws `invalid-argument` in Docker's words. AppArmor and SELinux options are accepted
 * and without effect where the host has neither; `systempaths` is turned into path lists by the client.
 */
export function parseSecurityOptions(options: readonly string[] | null | undefined): SecurityOptions {
  let noNewPrivileges: boolean | undefined;
  let seccomp = '';
  let writableCgroups = false;
  let userNamespace: SecurityOptions['userNamespace'];
  let appArmor = '';
  const labels: string[] = [];
  for (const option of options ?? []) {
    if (option === 'no-new-privileges') {
      noNewPrivileges = true;
      continue;
    }
    if (option === 'writable-cgroups') {
      writableCgroups = true;
      continue;
    }
    if (option === 'disable') {
      labels.push('disable');
      continue;
    }
    const [, name = '', value = ''] = /^([^=:]+)[=:](.*)$/s.exec(option) ?? [];
    switch (name) {
      case 'seccomp':
        seccomp = value;
        break;
      case 'no-new-privileges':
        noNewPrivileges = truth(option, value);
        break;
      case 'writable-cgroups':
        if (value !== 'true' && value !== 'false') throw unknown(option);
        writableCgroups = value === 'true';
        break;
      case 'userns':
        if (value !== 'private' && value !== 'auto') throw unknown(option);
        userNamespace = value;
        break;
      case 'label':
        labels.push(value);
        break;
      case 'apparmor':
        appArmor = value;
        break;
      case 'systempaths':
        break;
      default:
        throw unknown(option);
    }
  }
  return { noNewPrivileges, seccomp, writableCgroups, userNamespace, appArmor, labels };
}

function truth(option: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw unknown(option);
}

function unknown(option: string): WharfError {
  return new WharfError('invalid-argument', `invalid --security-opt 2: "${option}"`);
}
