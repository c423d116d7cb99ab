import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { capabilities } from '@wharf/linux/proc';
import type { WallDefaults } from '../../engine-config.ts';
import type { HostLimits } from './build.ts';
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
    securityModules: {
      appArmor: readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
      seLinux: existsSync('/sys/fs/selinux/enforce'),
    },
    walls,
  };
}

function readText(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
