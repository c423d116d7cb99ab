import type { Ulimit } from '@wharf/wire/docker/types';
import type { SpecRlimit } from './spec.ts';

/** A limit's largest value: Docker's -1 and the kernel's RLIM_INFINITY, as the runtimes read it. */
export const INFINITY_LIMIT = 2 ** 64;

export interface HostRlimits {
  /** The daemon's own hard limits by lower-case name (`nofile`); `undefined` is unlimited. */
  readonly hard: Readonly<Record<string, number | undefined>>;
  /** CAP_SYS_RESOURCE: hard limits may be raised. */
  readonly mayRaise: boolean;
}

const lineNames: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

/** The names `--ulimit` takes. */
export const ULIMIT_NAMES: readonly string[] = Object.values(lineNames);

/** Parses /proc/self/limits (proc_pid_limits(5)) into hard limits. */
export function parseHardLimits(text: string): Record<string, number | undefined> {
  const hard: Record<string, number | undefined> = {};
  for (const line of text.split('\n').slice(1)) {
    const name = lineNames[line.slice(0, 26).trim()];
    const value = line.slice(26).trim().split(/\s+/)[1];
    if (name !== undefined && value !== undefined) hard[name] = value === 'unlimited' ? undefined : Number(value);
  }
  return hard;
}

/**
 * The limits of a container: its own over the daemon's defaults, none above what this host lets us set. Where we may not
 * raise a hard limit we clamp, since failing would make `--ulimit nofile=1048576` unusable in an unprivileged VM.
 */
export function rlimits(own: readonly Ulimit[], defaults: readonly Ulimit[], host: HostRlimits): readonly SpecRlimit[] {
  const byName = new Map<string, Ulimit>();
  for (const limit of [...defaults, ...own]) byName.set(limit.Name.toLowerCase(), limit);
  return [...byName].map(([name, { Soft, Hard }]) => {
    const ceiling = host.mayRaise ? undefined : host.hard[name];
    const hard = clamp(Hard, ceiling);
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: Math.min(clamp(Soft, ceiling), hard), hard };
  });
}

/** Which of a container's own limits this host does not allow in full, in words for its creator. */
export function clampWarnings(own: readonly Ulimit[], host: HostRlimits): readonly string[] {
  if (host.mayRaise) return [];
  return own.flatMap(({ Name, Soft, Hard }) => {
    const ceiling = host.hard[Name.toLowerCase()];
    const largest = Math.max(clamp(Soft, undefined), clamp(Hard, undefined));
    if (ceiling === undefined || largest <= ceiling) return [];
    return [`Ulimit ${Name} is lowered to ${ceiling}: the daemon may not raise its own limit on this host.`];
  });
}

function clamp(value: number, ceiling: number | undefined): number {
  const wanted = value < 0 ? INFINITY_LIMIT : value;
  return ceiling === undefined ? wanted : Math.min(wanted, ceiling);
}
