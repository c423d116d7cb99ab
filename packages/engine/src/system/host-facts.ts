import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, hostname, machine, release, totalmem } from 'node:os';

/** What `docker info` and `docker version` say of the machine. */
export interface HostFacts {
  readonly hostname: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** As uname(2) says it: `x86_64`. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ipv4Forwarding: boolean;
  readonly seccomp: boolean;
  readonly appArmor: boolean;
  readonly cgroupNamespaces: boolean;
}

export function readHostFacts(): HostFacts {
  const os = readOsRelease();
  return {
    hostname: hostname(),
    kernelVersion: release(),
    operatingSystem: os.get('PRETTY_NAME') || 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    architecture: machine(),
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    ipv4Forwarding: readText('/proc/sys/net/ipv4/ip_forward').trim() === '1',
    seccomp: /^Seccomp:/m.test(readText('/proc/self/status')),
    appArmor: existsSync('/sys/kernel/security/apparmor/profiles'),
    cgroupNamespaces: existsSync('/proc/self/ns/cgroup'),
  };
}

/** Files this process has open. */
export function openFileCount(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Go's name of an architecture, as `version` and platforms have it: `amd64`. */
export function goArchitecture(uname: string): string {
  const names: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm', i686: '386' };
  return names[uname] ?? uname;
}

/** Parses os-release(5): shell-like assignments. */
export function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z_0-9]+)=(.*)$/.exec(line.trim());
    if (match) values.set(match[1] ?? '', (match[2] ?? '').replace(/^(["'])(.*)\1$/, '$2').replace(/\\(.)/g, '$1'));
  }
  return values;
}

function readOsRelease(): ReadonlyMap<string, string> {
  return parseOsRelease(readText('/etc/os-release') || readText('/usr/lib/os-release'));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
