import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** The profile of containers that ask for none. */
export const DEFAULT_PROFILE = 'wharf-default';

const LOADED = '/sys/kernel/security/apparmor/profiles';
const PARSERS = ['/sbin/apparmor_parser', '/usr/sbin/apparmor_parser'];
const LOAD_TIMEOUT_MS = 20_000;

/**
 * A second wall behind capabilities, masks and read-only mounts, in the language of apparmor.d(5): a process may do to its own files and
 * network what the other walls let it, but mounts nothing, and writes to no knob of the kernel that is not its namespace's own. Of signals
 * and ptrace it takes and gives what stays within containers, and the host's.
 */
const PROFILE = `profile ${DEFAULT_PROFILE} flags=(attach_disconnected,mediate_deleted) {
  capability,
  network,
  file,
  umount,
  deny mount,
  deny pivot_root,

  signal (receive) peer=unconfined,
  signal (receive) peer=crun,
  signal (receive) peer=runc,
  signal (send, receive) peer=${DEFAULT_PROFILE},
  ptrace (read, readby, trace, tracedby) peer=${DEFAULT_PROFILE},

  # Of /proc, processes' own folders and what belongs to namespaces.
  deny /proc/[a-z]* w,
  deny /proc/{acpi,asound,bus,driver,dynamic_debug,fs,irq,pressure,scsi,tty}/** w,
  deny /proc/sys/{abi,debug,dev,user,vm}/** w,
  deny /proc/sys/fs/[^m]** w,
  deny /proc/sys/kernel/{[^dhms]**,d[^o]**,h[^o]**,ho[^s]**,m[^s]**,s[^eh]**,se[^m]**,sh[^m]**} w,
  deny /proc/{kcore,kmem,mem,sysrq-trigger} rwklx,

  # Of /sys, control groups.
  deny /sys/{block,bus,class,dev,devices,firmware,hypervisor,kernel,module,power}/** wklx,
  deny /sys/fs/[^c]** wklx,
  deny /sys/{firmware,kernel/security,devices/virtual/powercap}/** rwklx,
}
`;

let found: string | undefined | null = null;

/**
 * The profile for containers that ask for none; `undefined` where AppArmor is off, or nothing can load a profile. It is loaded at the first
 * question, and stays when the daemon ends: containers run on under it.
 */
export function defaultAppArmorProfile(): string | undefined {
  if (found === null) found = isEnabled() && (isLoaded() || load()) ? DEFAULT_PROFILE : undefined;
  return found;
}

function isEnabled(): boolean {
  return readText('/sys/module/apparmor/parameters/enabled').startsWith('Y');
}

function isLoaded(): boolean {
  return readText(LOADED).split('\n').includes(`${DEFAULT_PROFILE} (enforce)`);
}

/** Gives the profile to the kernel. False when that cannot be done: containers then have the other walls, as without AppArmor. */
function load(): boolean {
  const parser = PARSERS.find((path) => existsSync(path));
  if (parser === undefined) return false;
  try {
    // Not from a cache, and over one of the same name.
    execFileSync(parser, ['--skip-cache', '--replace', '--quiet'], {
      input: PROFILE,
      timeout: LOAD_TIMEOUT_MS,
      stdio: 'pipe',
    });
    return isLoaded();
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
