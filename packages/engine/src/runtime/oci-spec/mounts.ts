import { WharfError } from '@wharf/kit';
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

/**
 * All mounts of a container in the order they are made: the system's, then Docker's files and the user's, those further down
 * after those above them. Throws `invalid-argument` for a place the system keeps to itself.
 */
export function containerMounts(inputs: MountInputs): readonly SpecMount[] {
  for (const mount of inputs.volumes) checkProc(mount);
  const own = new Set(inputs.volumes.map(({ destination }) => destination));
  const hidden = ({ destination }: SpecMount) =>
    own.has(destination) || (own.has('/dev') && destination.startsWith('/dev/'));
  const mounts = [
    ...systemMounts(inputs).filter((mount) => !hidden(mount)),
    ...[...fileMounts(inputs).filter((mount) => !hidden(mount)), ...inputs.volumes].sort(
      (a, b) => depth(a.destination) - depth(b.destination),
    ),
  ];
  const init = inputs.init;
  if (init !== undefined) {
    mounts.push({ destination: init.path, type: 'bind', source: init.hostPath, options: ['bind', 'ro'] });
  }
  return mounts;
}

const depth = (path: string): number => path.split('/').length;

/** Files of /proc that are known to be laid over, as LXCFS does, without hiding what guards a container. */
const PROC_FILES = new Set(
  [
    ...['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo', 'net/dev'],
    ...['sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'],
  ].map((name) => `/proc/${name}`),
);

/** runc's rule, which crun leaves to its caller: who lays something over /proc escapes the masks and the LSM. */
function checkProc({ destination, source, type }: SpecMount): void {
  if (destination === '/proc') {
    if (type === 'proc' || source === '/proc') return;
    throw new WharfError('invalid-argument', `"${destination}" cannot be mounted because it is not of type proc`);
  }
  if (!destination.startsWith('/proc/') || PROC_FILES.has(destination)) return;
  throw new WharfError('invalid-argument', `"${destination}" cannot be mounted because it is inside /proc`);
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
