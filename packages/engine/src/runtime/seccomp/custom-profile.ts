import { WharfError } from '@wharf/kit';
import type { SeccompProfile, SeccompRule } from './default-profile.ts';
import { kernelAtLeast } from './kernel-version.ts';

/** When a rule of Docker's profile format counts. */
interface Condition {
  readonly arches?: readonly string[] | null;
  readonly caps?: readonly string[] | null;
  readonly minKernel?: string | null;
}

interface DockerRule extends Partial<SeccompRule> {
  readonly name?: string;
  readonly comment?: string;
  readonly includes?: Condition | null;
  readonly excludes?: Condition | null;
}

interface DockerProfile extends Omit<SeccompProfile, 'syscalls' | 'architectures'> {
  readonly architectures?: readonly string[] | null;
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[];
  readonly syscalls?: readonly DockerRule[] | null;
}

export interface ProfileFacts {
  readonly capabilities: readonly string[];
  /** Node's `process.arch`. */
  readonly architecture: string;
  readonly kernelRelease: string;
}

/** By Node's name of a machine: libseccomp's, as profiles' conditions write it, and the constant of `archMap`. */
const MACHINES: Readonly<Record<string, { readonly name: string; readonly constant: string }>> = {
  x64: { name: 'amd64', constant: 'SCMP_ARCH_X86_64' },
  arm64: { name: 'arm64', constant: 'SCMP_ARCH_AARCH64' },
  arm: { name: 'arm', constant: 'SCMP_ARCH_ARM' },
  ia32: { name: 'x86', constant: 'SCMP_ARCH_X86' },
  loong64: { name: 'loongarch64', constant: 'SCMP_ARCH_LOONGARCH64' },
  ppc64: { name: 'ppc64le', constant: 'SCMP_ARCH_PPC64LE' },
  riscv64: { name: 'riscv64', constant: 'SCMP_ARCH_RISCV64' },
  s390x: { name: 's390x', constant: 'SCMP_ARCH_S390X' },
};

/**
 * Turns a profile in Docker's format (`archMap`, `name`, `includes` and `excludes` by architecture, capability and kernel)
 * into the OCI form for this machine and container. A profile that says nothing is no filter: `undefined`.
 * Throws `invalid-argument` in Docker's words.
 */
export function customSeccompProfile(json: string, facts: ProfileFacts): SeccompProfile | undefined {
  const profile = parse(json);
  const rules = profile.syscalls ?? [];
  if (!profile.defaultAction && rules.length === 0) return undefined;
  const machine = MACHINES[facts.architecture];
  const { archMap, architectures, syscalls: _, ...rest } = profile;
  if ((architectures ?? []).length > 0 && (archMap ?? []).length > 0) {
    throw refuse(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const mapped = archMap?.find(({ architecture }) => architecture === machine?.constant);
  const names = mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : (architectures ?? []);
  return {
    ...rest,
    ...(names.length > 0 ? { architectures: names } : {}),
    syscalls: rules.filter((rule) => counts(rule, machine?.name, facts)).map(ociRule),
  };
}

/** Throws `invalid-argument` for a profile that no container could be given. */
export function checkSeccompProfile(json: string): void {
  customSeccompProfile(json, { capabilities: [], architecture: process.arch, kernelRelease: '6.0' });
}

const refuse = (message: string, cause?: unknown) => new WharfError('invalid-argument', message, { cause });

function parse(json: string): DockerProfile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw refuse(`Decoding seccomp profile failed: ${(error as Error).message}`, error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('Decoding seccomp profile failed: json: cannot unmarshal into Go value of type seccomp.Seccomp');
  }
  return value as DockerProfile;
}

function counts(rule: DockerRule, machine: string | undefined, facts: ProfileFacts): boolean {
  const { includes, excludes } = rule;
  const holds = (capability: string) => facts.capabilities.includes(capability);
  if (excludes) {
    if (machine !== undefined && excludes.arches?.includes(machine)) return false;
    if (excludes.caps?.some(holds)) return false;
    if (excludes.minKernel && kernelAtLeast(facts.kernelRelease, version(excludes.minKernel))) return false;
  }
  if (includes) {
    if ((includes.arches ?? []).length > 0 && !includes.arches?.some((name) => name === machine)) return false;
    if (!(includes.caps ?? []).every(holds)) return false;
    if (includes.minKernel && !kernelAtLeast(facts.kernelRelease, version(includes.minKernel))) return false;
  }
  return true;
}

function version(text: string): readonly [number, number] {
  const [, major, minor] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
  if (major === undefined) throw refuse(`Decoding seccomp profile failed: invalid kernel version: ${text}`);
  return [Number(major), Number(minor)];
}

function ociRule(rule: DockerRule): SeccompRule {
  const { name, names, action = '', args, errnoRet } = rule;
  if (name && names && names.length > 0) {
    throw refuse("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  }
  return {
    names: name ? [name] : (names ?? []),
    action,
    ...(errnoRet === undefined ? {} : { errnoRet }),
    // An empty or null list is no condition.
    ...(args && args.length > 0 ? { args } : {}),
  };
}
