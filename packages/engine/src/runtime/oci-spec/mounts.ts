import type { NetworkFiles } from '../../networks/network-service.ts';
import type { SpecMount } from './spec.ts';

export interface MountInputs {
  readonly privileged: boolean;
  /** The container may make cgroups below its own. */
  readonly writableCgroups: boolean;
  readonly readOnlyRoot: boolean;
  readonly networkFiles: NetworkFiles | undefined;
  /** Volumes, binds and tmpfs, in order. */
  readonly volumes: readonly SpecMount[];
  /** `--ipc none`: no /dev/shm at all. */
  readonly withoutShm: boolean;
  /** A directory on the host that is /dev/shm (shared or the host's); a tmpfs of `shmSizeBytes` when absent. */
  readonly shmPath: string | undefined;
  readonly shmSizeBytes: number;
  /** `--ipc host` and `container:` bring the message queues of that namespace too, which a fresh mount shows. */
  readonly init: { readonly hostPath: string; readonly path: string } | undefined;
}

/** All mounts of a container in the order they are made: the system's, Docker's files, then the user's. */
export function containerMounts(inputs: MountInputs): readonly SpecMount[] {
  const own = new Set(inputs.volumes.map(({ destination }) => destination));
  const system = [...systemMounts(inputs), ...fileMounts(inputs)];
  const mounts = [...system.filter(({ destination }) => !own.has(destination)), ...inputs.volumes];
  const init = inputs.init;
  if (init !== undefined) {
    mounts.push({ destination: init.path, type: 'bind', source: init.hostPath, options: ['bind', 'ro'] });
  }
  return mounts;
}

function systemMounts(inputs: MountInputs): readonly SpecMount[] {
  const sysAccess = inputs.privileged ? 'rw' : 'ro';
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', sysAccess] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', inputs.privileged || inputs.writableCgroups ? 'rw' : 'ro'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    ...(inputs.withoutShm ? [] : [shmMount(inputs)]),
  ];
}

function shmMount({ shmPath, shmSizeBytes }: MountInputs): SpecMount {
  if (shmPath !== undefined) {
    return { destination: '/dev/shm', type: 'bind', source: shmPath, options: ['rbind', 'rprivate'] };
  }
  return {
    destination: '/dev/shm',
    type: 'tmpfs',
    source: 'shm',
    options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${shmSizeBytes}`],
  };
}

function fileMounts({ networkFiles, readOnlyRoot }: MountInputs): readonly SpecMount[] {
  if (networkFiles === undefined) return [];
  const options = ['rbind', 'rprivate', ...(readOnlyRoot ? ['ro'] : [])];
  return [
    { destination: '/etc/resolv.conf', type: 'bind', source: networkFiles.resolvConfPath, options },
    { destination: '/etc/hostname', type: 'bind', source: networkFiles.hostnamePath, options },
    { destination: '/etc/hosts', type: 'bind', source: networkFiles.hostsPath, options },
  ];
}
