import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, WharfError } from '@wharf/kit';
import { prepareHybridForCrun } from '@wharf/linux/cgroup';
import type { CgroupDriver } from './cgroup-place.ts';
import { findProgram } from './find-program.ts';
import { CommandRuntime } from './oci-runtime.ts';
import type { OciRuntime, Runtimes } from './runtime.ts';
import { CompiledFilters } from './seccomp/compiled-filters.ts';

export interface RuntimesOptions {
  readonly execRoot: string;
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs: readonly string[] }>>;
  readonly default: string;
  readonly cgroupDriver: CgroupDriver;
  readonly log: Logger;
}

/**
 * Finds the runtimes and the monitor on this host. A default of `crun` falls back to `runc` where crun refuses the
 * cgroup layout and it cannot be mended. Throws `failed-precondition` when the monitor is missing.
 */
export function createRuntimes(options: RuntimesOptions): Runtimes {
  const known = new Map<string, OciRuntime>();
  const filters = new CompiledFilters(join(options.execRoot, 'seccomp'));
  for (const [name, choice] of Object.entries(options.runtimes)) {
    const path = findProgram(choice.path);
    if (path === undefined) {
      options.log.debug({ runtime: name, path: choice.path }, 'runtime not found');
      continue;
    }
    const stateRoot = join(options.execRoot, name === 'crun' || name === 'runc' ? name : `runtime-${name}`);
    mkdirSync(stateRoot, { recursive: true, mode: 0o700 });
    known.set(
      name,
      new CommandRuntime({
        name,
        path,
        extraArguments: choice.runtimeArgs,
        stateRoot,
        systemdCgroups: options.cgroupDriver === 'systemd',
        log: options.log,
        filters,
      }),
    );
  }
  const defaultName = usableDefault(options, known);
  const monitorPath = findProgram('conmon');
  return {
    defaultName,
    names: [...known.keys()],
    get monitorPath() {
      if (monitorPath === undefined) {
        throw new WharfError('failed-precondition', 'Cannot run containers: "conmon" is not installed', {
          hint: 'apt-get install conmon',
        });
      }
      return monitorPath;
    },
    get(name) {
      const wanted = name === undefined || name === '' ? defaultName : name;
      const runtime = known.get(wanted);
      if (runtime === undefined && wanted in options.runtimes) {
        const path = options.runtimes[wanted]?.path ?? wanted;
        throw new WharfError(
          'failed-precondition',
          `Cannot run containers with runtime "${wanted}": "${path}" is not installed`,
          { hint: path === 'crun' || path === 'runc' ? `apt-get install ${path}` : 'See --add-runtime' },
        );
      }
      if (runtime === undefined) {
        throw new WharfError('invalid-argument', `unknown or invalid runtime name: ${wanted}`);
      }
      return runtime;
    },
  };
}

function usableDefault(options: RuntimesOptions, known: ReadonlyMap<string, OciRuntime>): string {
  const wanted = options.default;
  if (wanted === 'crun' && known.has('crun')) {
    const { mounted, failed } = prepareHybridForCrun();
    if (mounted.length > 0) options.log.info({ controllers: mounted }, 'cgroup controllers mounted as v1 for crun');
    if (failed.length === 0) return wanted;
    options.log.warn({ failed }, 'crun cannot be used with this cgroup layout, trying runc');
    if (known.has('runc')) return 'runc';
  }
  if (!known.has(wanted) && wanted === 'crun' && known.has('runc')) return 'runc';
  return wanted;
}
