import { messageOf, WharfError } from '@wharf/kit';
import type { SeccompArgument, SeccompProfile, SeccompRule } from './default-profile.ts';

/** What decides whether a rule of a profile counts. */
export interface ProfileFacts {
  readonly capabilities: readonly string[];
  /** Node's `process.arch`. */
  readonly architecture: string;
  /** uname's release. */
  readonly kernelRelease: string;
}

/** Docker's profile format: the OCI one with conditions, and with architectures by family. */
interface DockerRule {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly action?: string;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArgument[] | null;
  readonly includes?: Condition | null;
  readonly excludes?: Condition | null;
}

interface Condition {
  readonly arches?: readonly string[];
  readonly caps?: readonly string[];
  readonly minKernel?: string;
}

interface DockerProfile {
  readonly defaultAction?: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[] | null;
  readonly archMap?:
    | readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[]
    | null;
  readonly syscalls?: readonly DockerRule[] | null;
}

const OCI_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };
const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Reads the profile of `--security-opt seccomp=…`, in Docker's format or OCI's, for one container. Throws
 * `invalid-argument` in Docker's words.
 */
export function customSeccompProfile(text: string, facts: ProfileFacts): SeccompProfile {
  const profile = parse(text);
  if ((profile.architectures ?? []).length > 0 && (profile.archMap ?? []).length > 0) {
    throw refuse(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const machine = OCI_ARCHITECTURES[facts.architecture];
  const family = (profile.archMap ?? []).find(({ architecture }) => architecture === machine);
  const architectures = family
    ? [family.architecture, ...(family.subArchitectures ?? [])]
    : (profile.architectures ?? []);
  const rules = (profile.syscalls ?? []).filter((rule) => counts(rule, facts)).map(toRule);
  return {
    defaultAction: profile.defaultAction ?? 'SCMP_ACT_ERRNO',
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length > 0 ? { architectures } : {}),
    syscalls: rules,
  };
}

function refuse(reason: string, cause?: unknown): WharfError {
  return new WharfError('invalid-argument', `Decoding seccomp profile failed: ${reason}`, { cause });
}

function parse(text: string): DockerProfile {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw refuse('not an object');
  return document as DockerProfile;
}

function toRule(rule: DockerRule): SeccompRule {
  if (rule.name && (rule.names ?? []).length > 0) {
    throw refuse("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  }
  return {
    names: rule.name ? [rule.name] : (rule.names ?? []),
    action: rule.action ?? 'SCMP_ACT_ALLOW',
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...((rule.args ?? []).length > 0 ? { args: rule.args ?? [] } : {}),
  };
}

/** Conditions of Docker's format: `excludes` bars when any of it holds, `includes` needs all of it. */
function counts(rule: DockerRule, facts: ProfileFacts): boolean {
  const { includes, excludes } = rule;
  const machine = GO_ARCHITECTURES[facts.architecture] ?? facts.architecture;
  const has = (capability: string) => facts.capabilities.includes(capability);
  if ((excludes?.arches ?? []).includes(machine)) return false;
  if ((excludes?.caps ?? []).some(has)) return false;
  if (excludes?.minKernel && kernelAtLeast(facts.kernelRelease, excludes.minKernel)) return false;
  if ((includes?.arches ?? []).length > 0 && !(includes?.arches ?? []).includes(machine)) return false;
  if (!(includes?.caps ?? []).every(has)) return false;
  return !includes?.minKernel || kernelAtLeast(facts.kernelRelease, includes.minKernel);
}

function kernelAtLeast(release: string, wanted: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
