const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Docker's `ReplaceOrAppendEnvValues`: later values replace earlier ones of the same name in place; a bare `NAME` removes it.
 */
export function mergeEnvironment(base: readonly string[], changes: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const entry of base) merged.set(nameOf(entry), entry);
  for (const entry of changes) {
    if (entry.includes('=')) merged.set(nameOf(entry), entry);
    else merged.delete(entry);
  }
  return [...merged.values()];
}

function nameOf(entry: string): string {
  const equals = entry.indexOf('=', 1);
  return equals < 0 ? entry : entry.slice(0, equals);
}

/** The environment a container's processes start from, before an exec adds its own. */
export function containerEnvironment(options: {
  readonly configured: readonly string[];
  /** What `--link` adds. */
  readonly linked?: readonly string[];
  readonly hostname: string;
  readonly terminal: boolean;
}): readonly string[] {
  const base = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${options.hostname}`];
  if (options.terminal) base.push('TERM=xterm');
  return mergeEnvironment([...base, ...(options.linked ?? [])], options.configured);
}

/** Adds `HOME` where the environment has none, or an empty one, as login does. */
export function withHome(environment: readonly string[], home: string): readonly string[] {
  if (environment.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=')) return environment;
  return [...environment.filter((entry) => entry !== 'HOME='), `HOME=${home}`];
}
