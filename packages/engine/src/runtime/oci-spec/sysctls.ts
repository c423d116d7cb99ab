import { WharfError } from '@wharf/kit';

/** Which of the namespaces that have sysctls are the container's own. */
export interface OwnNamespaces {
  readonly network: boolean;
  readonly ipc: boolean;
  readonly uts: boolean;
}

const OF_IPC = new Set(
  ['msgmax', 'msgmnb', 'msgmni', 'sem', 'shmall', 'shmmax', 'shmmni', 'shm_rmid_forced'].map(
    (name) => `kernel.${name}`,
  ),
);

/**
 * Refuses settings that would change the host: those of no namespace (namespaces(7)), or of one that the container shares with it. Throws
 * `invalid-argument` in the words of Docker's runtime. Slashes separate as dots do (sysctl(8)).
 */
export function checkSysctls(asked: Readonly<Record<string, string>>, own: OwnNamespaces): void {
  for (const name of Object.keys(asked)) {
    const problem = problemOf(dotted(name), own);
    if (problem !== undefined) throw new WharfError('invalid-argument', `sysctl "${name}" ${problem}`);
  }
}

function problemOf(name: string, own: OwnNamespaces): string | undefined {
  if (name.startsWith('net.')) return own.network ? undefined : 'not allowed in host network namespace';
  if (OF_IPC.has(name) || name.startsWith('fs.mqueue.')) {
    return own.ipc ? undefined : 'is not allowed in the hosts ipc namespace';
  }
  if (name === 'kernel.domainname') return own.uts ? undefined : 'is not allowed in the hosts uts namespace';
  if (name === 'kernel.hostname') return 'is not allowed as it conflicts with the OCI "hostname" field';
  return 'is not in a separate kernel namespace';
}

/** `net/ipv4/conf/eth0.1/x` has dots of its own; what follows a first slash is left alone. */
function dotted(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  return first === '/' ? name.replaceAll('.', '\0').replaceAll('/', '.').replaceAll('\0', '/') : name;
}
