import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { type Check, fail, ok, warn } from './finding.ts';
import { readText } from './read.ts';

/** pidfd_open 5.3, openat2 5.6, overlay in the new mount API 5.11 (mounts by path still work before). */
const OLDEST_KERNEL = [5, 6] as const;

export const kernelChecks: readonly Check[] = [version, overlay, seccomp, userNamespaces, namespaces];

function version(): ReturnType<Check> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const [oldMajor, oldMinor] = OLDEST_KERNEL;
  const enough = major > oldMajor || (major === oldMajor && minor >= oldMinor);
  if (enough) return ok('kernel.version', `Linux ${release()}`);
  return fail(
    'kernel.version',
    `Linux ${release()} is older than ${oldMajor}.${oldMinor}`,
    'apt-get install linux-image-amd64 && reboot',
  );
}

function overlay(): ReturnType<Check> {
  const known = readText('/proc/filesystems')
    ?.split('\n')
    .some((line) => line.endsWith('\toverlay'));
  if (known) return ok('kernel.overlay', 'overlay filesystem is there');
  return warn(
    'kernel.overlay',
    'overlay filesystem is missing: layers are copied, which is slow and takes space',
    'modprobe overlay',
  );
}

function seccomp(): ReturnType<Check> {
  if (existsSync('/proc/sys/kernel/seccomp/actions_avail')) return ok('kernel.seccomp', 'seccomp filters are there');
  return fail(
    'kernel.seccomp',
    'the kernel has no seccomp filters: containers start only with --security-opt seccomp=unconfined',
  );
}

function userNamespaces(): ReturnType<Check> {
  if (!existsSync('/proc/self/ns/user')) return warn('kernel.userns', 'the kernel has no user namespaces');
  if (readText('/proc/sys/user/max_user_namespaces') === '0') {
    return warn('kernel.userns', 'user namespaces are switched off', 'sysctl -w user.max_user_namespaces=15000');
  }
  return ok('kernel.userns', 'user namespaces are there');
}

function namespaces(): ReturnType<Check> {
  const missing = ['mnt', 'net', 'pid', 'uts', 'ipc'].filter((name) => !existsSync(`/proc/self/ns/${name}`));
  if (missing.length === 0) return ok('kernel.namespaces', 'mount, network, pid, uts and ipc namespaces are there');
  return fail('kernel.namespaces', `the kernel has no ${missing.join(', ')} namespaces`);
}
