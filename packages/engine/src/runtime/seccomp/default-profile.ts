import { ALWAYS_ALLOWED } from './allowed-syscalls.ts';
import { kernelAtLeast } from './kernel-version.ts';
import { KNOWN_AND_REFUSED } from './refused-syscalls.ts';

/** One argument condition (OCI runtime-spec, config-linux.md, "Seccomp", `args`). */
export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op:
    | 'SCMP_CMP_NE'
    | 'SCMP_CMP_LT'
    | 'SCMP_CMP_LE'
    | 'SCMP_CMP_EQ'
    | 'SCMP_CMP_GE'
    | 'SCMP_CMP_GT'
    | 'SCMP_CMP_MASKED_EQ';
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[];
}

/** The `linux.seccomp` object of the OCI runtime specification. */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly syscalls?: readonly SeccompRule[];
}

const ALLOW = 'SCMP_ACT_ALLOW';
const ERRNO = 'SCMP_ACT_ERRNO';
const EPERM = 1;
const ENOSYS = 38;
const AF_ALG = 38;
const AF_VSOCK = 40;

/** CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET (clone(2)). */
const CLONE_NAMESPACES = 0x7e020000;

/** Those bits one by one, in clone(2)'s order of value. */
const CLONE_NAMESPACE_BITS = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000];

/** What one capability opens up. */
const BY_CAPABILITY: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_PERFMON: ['perf_event_open'],
  CAP_SYSLOG: ['syslog'],
  CAP_SYS_ADMIN: [
    ...['bpf', 'clone', 'clone3', 'fanotify_init', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'lookup_dcookie'],
    ...['lsm_get_self_attr', 'lsm_list_modules', 'lsm_set_self_attr', 'mount', 'mount_setattr', 'move_mount'],
    ...['open_tree', 'perf_event_open', 'quotactl', 'quotactl_fd', 'setdomainname', 'sethostname', 'setns', 'syslog'],
    ...['umount', 'umount2', 'unshare'],
  ],
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['delete_module', 'init_module', 'finit_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise', 'process_vm_readv', 'process_vm_writev', 'ptrace'],
  CAP_SYS_RAWIO: ['iopl', 'ioperm'],
  CAP_SYS_TIME: ['settimeofday', 'stime', 'clock_settime', 'clock_settime64'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
};

/** What one machine architecture needs, by Node's name for it. */
const BY_ARCHITECTURE: Readonly<
  Record<string, { readonly architectures: readonly string[]; readonly names: readonly string[] }>
> = {
  x64: {
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    names: ['arch_prctl', 'modify_ldt'],
  },
  arm64: {
    architectures: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    names: ['arm_fadvise64_64', 'arm_sync_file_range', 'sync_file_range2', 'breakpoint', 'cacheflush', 'set_tls'],
  },
};

/** personality(2): Linux and Linux 32-bit, each with and without ADDR_NO_RANDOMIZE's harmless sibling, and the query. */
const PERSONALITIES = [0x0, 0x0008, 0x20000, 0x20008, 0xffffffff];

/** Flags of personality(2) that weaken a process (no address randomisation, readable means executable, page zero). */
const PERSONALITY_FLAGS = [
  0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x800000, 0x1000000, 0x2000000, 0x4000000, 0x8000000,
];

/** Set in the query 0xffffffff and in no personality. */
const PERSONALITY_QUERY_BIT = 0x80000000;

/** Since 4.8 a tracer cannot slip past a filter (seccomp(2), NOTES), so ptrace within the container is safe from there on. */
const PTRACE_SINCE_KERNEL = [4, 8] as const;

/**
 * The default filter for a container that holds `capabilities` (`CAP_…` names): EPERM for what is known and not allowed, ENOSYS
 * for what came to Linux later. A libc tries the newer call first and takes the older one on ENOSYS only; an EPERM it did not
 * expect (fchmodat2, statx, clone3 in their time) breaks every program of a new distribution on an older engine.
 * `architecture` is Node's `process.arch`; `kernelRelease` is uname's.
 * Follows the OCI runtime-spec, config-linux.md, "Seccomp".
 */
export function defaultSeccompProfile(options: {
  readonly capabilities: readonly string[];
  readonly architecture: string;
  readonly kernelRelease: string;
}): SeccompProfile {
  const machine = BY_ARCHITECTURE[options.architecture];
  const names = new Set([...ALWAYS_ALLOWED, ...(machine?.names ?? [])]);
  if (kernelAtLeast(options.kernelRelease, PTRACE_SINCE_KERNEL)) {
    for (const name of ['process_vm_readv', 'process_vm_writev', 'ptrace']) names.add(name);
  }
  for (const capability of options.capabilities) {
    for (const name of BY_CAPABILITY[capability] ?? []) names.add(name);
  }
  const syscalls: SeccompRule[] = [{ names: [...names], action: ALLOW }, ...socketRules(), ...personalityRules()];
  if (!options.capabilities.includes('CAP_SYS_ADMIN')) syscalls.push(...cloneRules());
  const refused = KNOWN_AND_REFUSED.filter((name) => !names.has(name));
  syscalls.push({ names: refused, action: ERRNO, errnoRet: EPERM });
  return {
    defaultAction: ERRNO,
    defaultErrnoRet: ENOSYS,
    ...(machine ? { architectures: machine.architectures } : {}),
    syscalls,
  };
}

/** Sockets of every family but AF_ALG (kernel crypto, a past source of escapes) and AF_VSOCK (the hypervisor's own door). */
function socketRules(): SeccompRule[] {
  const allow = (value: number, op: SeccompArgument['op']): SeccompRule => ({
    names: ['socket'],
    action: ALLOW,
    args: [{ index: 0, value, op }],
  });
  return [
    ...[allow(AF_ALG, 'SCMP_CMP_LT'), allow(AF_ALG + 1, 'SCMP_CMP_EQ'), allow(AF_VSOCK, 'SCMP_CMP_GT')],
    ...[AF_ALG, AF_VSOCK].map((value) => refuse('socket', { index: 0, value, op: 'SCMP_CMP_EQ' })),
  ];
}

/** EPERM for a call with that argument; without it the default would say that the call does not exist. */
function refuse(name: string, argument: SeccompArgument): SeccompRule {
  return { names: [name], action: ERRNO, errnoRet: EPERM, args: [argument] };
}

function personalityRules(): SeccompRule[] {
  return [
    ...PERSONALITIES.map(
      (value): SeccompRule => ({
        names: ['personality'],
        action: ALLOW,
        args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }],
      }),
    ),
    ...PERSONALITY_FLAGS.map((flag) =>
      refuse('personality', {
        index: 0,
        value: flag + PERSONALITY_QUERY_BIT,
        valueTwo: flag,
        op: 'SCMP_CMP_MASKED_EQ',
      }),
    ),
  ];
}

/**
 * Threads and processes, but no new namespaces. clone3 hides its flags in memory where a filter cannot look: ENOSYS makes
 * every libc fall back to clone.
 */
function cloneRules(): SeccompRule[] {
  return [
    {
      names: ['clone'],
      action: ALLOW,
      args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    ...CLONE_NAMESPACE_BITS.map((bit) =>
      refuse('clone', { index: 0, value: bit, valueTwo: bit, op: 'SCMP_CMP_MASKED_EQ' }),
    ),
    { names: ['clone3'], action: ERRNO, errnoRet: ENOSYS },
  ];
}
