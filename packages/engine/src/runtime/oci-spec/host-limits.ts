import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { capabilities } from '@wharf/linux/proc';
import type { WallDefaults } from '../../engine-config.ts';
import { defaultAppArmorProfile } from './apparmor.ts';
import type { HostLimits } from './build.ts';
import type { SecurityModules } from './labels.ts';
import { parseHardLimits } from './rlimits.ts';

/** What this host, and this daemon on it, can give to a container. */
export function readHostLimits({ walls }: { readonly walls: WallDefaults }): HostLimits {
  const { bounding } = capabilities();
  return {
    bounding,
    rlimits: {
      hard: parseHardLimits(readFileSync('/proc/self/limits', 'utf8')),
      mayRaise: bounding.has('CAP_SYS_RESOURCE'),
    },
    architecture: process.arch,
    kernelRelease: release(),
    securityModules: securityModules(),
    walls,
  };
}

let modules: SecurityModules | undefined;

/** The security modules of this kernel, with the daemon's own profile loaded where there is AppArmor; looked at once. */
export function securityModules(): SecurityModules {
  modules ??= {
    appArmor: readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    defaultProfile: defaultAppArmorProfile(),
    seLinux: existsSync('/sys/fs/selinux/enforce'),
  };
  return modules;
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
