import { existsSync } from 'node:fs';
import { type Check, type Finding, fail, ok, warn } from './finding.ts';
import { readText } from './read.ts';

interface CgroupMount {
  readonly path: string;
  readonly version: 1 | 2;
  readonly options: readonly string[];
}

export const cgroupChecks: readonly Check[] = [layout, memory, pids];

function layout(): Finding {
  const mounts = cgroupMounts();
  const v1 = mounts.filter(
    (mount) => mount.version === 1 && !mount.options.some((option) => option.startsWith('name=')),
  );
  const v2 = mounts.find((mount) => mount.version === 2);
  if (v1.length === 0 && v2 === undefined) {
    return fail('cgroup.layout', 'no cgroup hierarchy is mounted', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup');
  }
  if (v1.length === 0) return ok('cgroup.layout', 'cgroup v2');
  if (v2 === undefined) return ok('cgroup.layout', 'cgroup v1');
  const left = (readText(`${v2.path}/cgroup.controllers`) ?? '').split(' ').filter((name) => name !== '');
  if (left.length === 0) return ok('cgroup.layout', 'cgroup v1, with an empty v2 hierarchy beside it');
  const fix = left
    .map((name) => `mkdir -p /sys/fs/cgroup/${name} && mount -t cgroup -o ${name} cgroup /sys/fs/cgroup/${name}`)
    .join(' && ');
  return warn(
    'cgroup.layout',
    `cgroup v1 with ${left.join(', ')} left on v2, which crun refuses: wharfd mounts it as v1 when it starts`,
    fix,
  );
}

function memory(): Finding {
  return controller(
    'memory',
    'memory limits do not work',
    'add cgroup_enable=memory swapaccount=1 to the kernel command line and reboot',
  );
}

function pids(): Finding {
  return controller('pids', 'limits on the number of processes do not work');
}

function controller(name: string, consequence: string, fix?: string): Finding {
  const v2 = cgroupMounts().find((mount) => mount.version === 2);
  const onV2 = v2 !== undefined && (readText(`${v2.path}/cgroup.controllers`) ?? '').split(' ').includes(name);
  const onV1 = cgroupMounts().some((mount) => mount.version === 1 && mount.options.includes(name));
  if (onV1 || onV2) return ok(`cgroup.${name}`, `${name} controller is there (v${onV1 ? 1 : 2})`);
  return warn(`cgroup.${name}`, `the ${name} controller is missing: ${consequence}`, fix);
}

function cgroupMounts(): readonly CgroupMount[] {
  const lines = (readText('/proc/self/mounts') ?? '').split('\n').map((line) => line.split(' '));
  return lines.flatMap(([, path = '', type = '', options = '']): CgroupMount[] => {
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    return existsSync(path) ? [{ path, version: type === 'cgroup' ? 1 : 2, options: options.split(',') }] : [];
  });
}
