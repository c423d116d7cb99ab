import { readdirSync, readFileSync } from 'node:fs';

/** Fields of /proc/PID/stat (proc_pid_stat(5)) that are asked for, and of /proc/PID/status. */
export interface ProcessStatus {
  readonly pid: number;
  readonly parentPid: number;
  readonly name: string;
  /** `R`, `S`, `D`, `Z`, … */
  readonly state: string;
  readonly uid: number;
  readonly threads: number;
  readonly residentBytes: number;
}

/**
 * When the process started, in clock ticks since boot: with the pid it names a process for good, pids being used again.
 * `undefined` when there is no such process.
 */
export function processStartTime(pid: number): number | undefined {
  const fields = statFields(pid);
  // Field 22; the first two (pid and name) are cut off.
  return fields === undefined ? undefined : Number(fields[19]);
}

/** The status of a process, `undefined` when there is none. */
export function readStatus(pid: number): ProcessStatus | undefined {
  const text = readProc(`/proc/${pid}/status`);
  if (text === undefined) return undefined;
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1] ?? '';
  return {
    pid,
    parentPid: Number(field('PPid')),
    name: field('Name'),
    state: field('State').slice(0, 1),
    uid: Number.parseInt(field('Uid'), 10),
    threads: Number(field('Threads')),
    residentBytes: (Number.parseInt(field('VmRSS'), 10) || 0) * 1024,
  };
}

/**
 * True when a signal means something to a process: it catches it, ignores it on purpose, or keeps it for later. False for the default
 * action, and when there is no such process.
 */
export function heedsSignal(pid: number, signal: number): boolean {
  const text = readProc(`/proc/${pid}/status`) ?? '';
  const bit = 1n << BigInt(signal - 1);
  return ['SigBlk', 'SigIgn', 'SigCgt'].some((name) => {
    const mask = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(text)?.[1] ?? '0';
    return (BigInt(`0x${mask}`) & bit) !== 0n;
  });
}

/** The parent of a process, `undefined` when there is none. A fraction of what `readStatus` costs. */
export function parentPidOf(pid: number): number | undefined {
  const parent = statFields(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/** The pids that exist now. */
export function listProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Processes whose parent is `pid`, as of now. Reads all of /proc: not for hot paths. */
export function childrenOf(pid: number): number[] {
  return listProcesses().filter((candidate) => readStatus(candidate)?.parentPid === pid);
}

/** True while a process, a zombie too, has this number. */
export function pidExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** True when the process is gone or only waits to be reaped. */
export function hasEnded(pid: number): boolean {
  const state = statFields(pid)?.[0];
  return state === undefined || state === 'Z' || state === 'X';
}

const CAPABILITY_NAMES = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
] as const;

/** All capabilities by number (capabilities(7)), as `CAP_CHOWN`. */
export const CAPABILITIES: readonly string[] = CAPABILITY_NAMES.map((name) => `CAP_${name}`);

export interface CapabilitySets {
  readonly effective: ReadonlySet<string>;
  /** What any process from here on can ever have: an engine must not ask a runtime for more. */
  readonly bounding: ReadonlySet<string>;
}

/** The capabilities of this process. */
export function capabilities(): CapabilitySets {
  const text = readProc('/proc/self/status') ?? '';
  const set = (name: string): ReadonlySet<string> =>
    decodeCapabilities(BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)`, 'm').exec(text)?.[1] ?? '0'}`));
  return { effective: set('CapEff'), bounding: set('CapBnd') };
}

function decodeCapabilities(mask: bigint): ReadonlySet<string> {
  return new Set(CAPABILITIES.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n));
}

/** The fields after the name, which may itself hold spaces and parentheses. */
function statFields(pid: number): readonly string[] | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}
